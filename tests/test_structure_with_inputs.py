"""The structure where the arguments are given: what is left out of them has its default, and nothing is open there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.report import Report


class Captioner(nn.Module):
    """Its image part runs only when `pixels` are given."""

    def __init__(self) -> None:
        super().__init__()
        self.text = nn.Linear(4, 4)
        self.vision = nn.Linear(4, 4)

    def embedded(self, pixels: Any, encoded: Any) -> Any:
        if pixels is not None and encoded is not None:
            raise ValueError("give one of them")
        if pixels is not None:
            encoded = self.vision(pixels)
        return encoded

    def forward(self, x: Any, pixels: Any = None, encoded: Any = None) -> Any:
        more = self.embedded(pixels, encoded)
        return self.text(x if more is None else x + more)


class Registry(nn.Module):
    """Chooses among its parts by the keys of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Linear(4, 4)
        self.sound = nn.Linear(4, 4)

    def forward(self, batch: Any) -> Any:
        total = 0
        if "image" in batch:
            total = total + self.image(batch["image"])
        if "sound" in batch:
            total = total + self.sound(batch["sound"])
        return total


X = torch.randn(2, 4)


def structure(model: nn.Module, inputs: Any) -> Report:
    return fxaudit.audit(model, device="meta", inputs=inputs)


def test_alone_an_optional_argument_leaves_open_what_only_it_runs() -> None:
    found = fxaudit.audit(Captioner())["vision.weight"]
    assert (found.verdict, found.reason) == (
        "unknown",
        "whether it is used is open: it runs only when `pixels` is given",
    )


def test_what_the_given_arguments_do_not_run_is_never_reached() -> None:
    report = structure(Captioner(), (X,))
    assert {one.name: one.verdict for one in report} == {
        "text.weight": "trained",
        "text.bias": "trained",
        "vision.weight": "unreachable",
        "vision.bias": "unreachable",
    }
    assert [finding.code for finding in report.findings] == ["FXA101"]


def test_what_the_given_arguments_run_trains() -> None:
    report = structure(Captioner(), {"x": X, "pixels": X})
    assert report.verdicts() == {"trained": 4} and not report.findings


def test_another_batch_may_have_other_keys() -> None:
    report = structure(Registry(), {"batch": {"image": X}})
    assert (report["image.weight"].verdict, report["sound.weight"].verdict) == ("trained", "unknown")
    assert "another batch" in report["sound.weight"].reason


class Chosen(nn.Module):
    """What it uses is decided by a flag, by the size of a value on the way, and by a dict that it makes itself."""

    def __init__(self) -> None:
        super().__init__()
        self.flagged, self.long, self.kept, self.head = (nn.Linear(4, 4) for _ in range(4))

    def pick(self, hidden: Any) -> Any:
        return self.long(hidden) if len(hidden) > 4 else hidden

    def forward(self, x: Any, mode: str = "plain", encoded: Any = None, more: Any = None) -> Any:
        if mode == "joint":
            x = self.flagged(x)
        encoded = encoded if encoded is not None else {}
        if encoded.get("image") is None and more is not None:
            encoded["image"] = self.kept(more)
        return self.head(self.pick(x)), encoded


def test_flags_are_settled_by_the_call_and_sizes_are_not() -> None:
    report = structure(Chosen(), (X,))
    said = {one.name.partition(".")[0]: one.verdict for one in report}
    assert said == {"flagged": "unreachable", "long": "unknown", "kept": "unreachable", "head": "trained"}
    assert structure(Chosen(), {"x": X, "mode": "joint", "more": X}).verdicts()["trained"] == 6


@pytest.mark.parametrize("inputs", [(X,), {"x": X}, {"x": X, "pixels": X}])
def test_the_structure_says_what_a_run_says(inputs: Any) -> None:
    said = structure(Captioner(), inputs).verdicts()
    assert said == fxaudit.audit(Captioner(), inputs=inputs).verdicts()


class Kernel(nn.Module):
    """An activation whose other way out is code that nobody can see: `forward` is the name of what it calls."""

    def __init__(self) -> None:
        super().__init__()
        self.compiled: Any = None

    def fast(self, x: Any) -> Any:
        return self.compiled.forward(x)

    def forward(self, x: Any) -> Any:
        return self.fast(x) if self.compiled is not None else torch.relu(x)


class Table(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return self.table(x)


class WithTable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.kernel = Kernel()
        self.table = Table()

    def forward(self, x: Any, more: Any = None) -> Any:
        if more is not None:
            x = x + self.table(more)
        return self.kernel(self.first(x))


class Forgetful(WithTable):
    def forward(self, x: Any) -> Any:
        return self.kernel(self.first(x))


def test_a_part_of_what_never_runs_is_asked_about_by_what_holds_it() -> None:
    found = fxaudit.audit(WithTable())["table.table.weight"]
    assert found.reason == "whether it is used is open: it runs only when `more` is given"


def test_a_forward_of_that_name_elsewhere_is_no_use() -> None:
    assert fxaudit.audit(Forgetful())["table.table.weight"].verdict == "unreachable"


class Wrapped(nn.Module):
    """A method of the same name hands on to the part that has it, as wrappers of public libraries do."""

    def __init__(self) -> None:
        super().__init__()
        self.captioner = Captioner()

    def embedded(self, pixels: Any, encoded: Any) -> Any:
        return self.captioner.embedded(pixels, encoded)

    def forward(self, x: Any, pixels: Any = None) -> Any:
        return self.captioner(x, pixels)


class Encoded(Captioner):
    def encoded(self, pixels: Any) -> Any:
        return self.vision(pixels)

    def forward(self, x: Any, pixels: Any = None) -> Any:
        return self.text(x if pixels is None else x + self.encoded(pixels))


class WrapsEncoded(Wrapped):
    def __init__(self) -> None:
        super().__init__()
        self.captioner = Encoded()

    def encoded(self, pixels: Any) -> Any:
        return self.captioner.encoded(pixels)


def test_methods_that_call_their_like_in_a_part_are_asked_about_once() -> None:
    report = structure(WrapsEncoded(), (X,))
    assert report["captioner.vision.weight"].verdict == "unreachable"
    assert fxaudit.audit(WrapsEncoded())["captioner.vision.weight"].verdict == "unknown"


def test_a_check_that_was_passed_is_no_reason() -> None:
    (finding,) = structure(Captioner(), (X,)).findings
    assert finding.message == "`vision` is never called: `pixels is not None` is never true"
