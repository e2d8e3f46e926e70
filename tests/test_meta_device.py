"""`device="meta"`: the structure of a model of any size, made where it takes no memory, and nothing executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit import cli
from fxaudit.errors import InvalidInputsError, InvalidOptionError


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Tower(nn.Module):
    """Of about 100 billion parameters, unless it is told otherwise."""

    def __init__(self, width: int = 16_384, depth: int = 50) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.head, self.side = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return self.head(x) + self.side(x).detach()


CAUSE = "        return self.head(x) + self.side(x).detach()"
LINE = Path(__file__).read_text(encoding="utf-8").splitlines().index(CAUSE) + 1


def test_a_class_is_made_on_the_meta_device_and_judged_there() -> None:
    report = fxaudit.audit(Tower, device="meta")
    assert report.verdicts() == {"trained": 302, "unreachable": 2}
    assert sum(parameter.numel for parameter in report) > 10**11
    (finding,) = report.findings
    assert (finding.code, finding.culprit.line) == ("FXA104", LINE)


def test_a_live_model_keeps_its_tensors_and_none_of_its_numbers_is_used() -> None:
    model = Tower(4, 2)
    before = [(id(p), p._version, p.device) for p in model.parameters()]
    ran: list[str] = []
    model.register_forward_hook(lambda *_: ran.append("forward"))
    report = fxaudit.audit(model, inputs=(torch.ones(3, 4),), device=torch.device("meta"))
    assert report["side.weight"].verdict == "unreachable" and report["head.weight"].verdict == "trained"
    assert [(id(p), p._version, p.device) for p in model.parameters()] == before


class BySize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.short, self.long = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return self.long(x) if x.shape[0] > 8 else self.short(x)


@pytest.mark.parametrize(("length", "used", "other"), [(3, "short", "long"), (9, "long", "short")])
def test_the_shapes_of_the_inputs_settle_what_depends_on_them(length: int, used: str, other: str) -> None:
    report = fxaudit.audit(BySize, inputs=torch.empty(length, 4, device="meta"), device="meta")
    assert report[f"{used}.weight"].verdict == "trained"
    assert report[f"{other}.weight"].verdict == "unknown"  # another length may need it


class ByValue(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        return self.second(x) if x.sum().item() > 0 else x


BRANCH = "        return self.second(x) if x.sum().item() > 0 else x"


def test_what_hangs_on_a_number_is_unknown_and_its_line_is_told() -> None:
    report = fxaudit.audit(ByValue, inputs=(torch.ones(2, 4),), device="meta")
    assert report["second.weight"].verdict == "unknown"
    (finding,) = report.findings
    assert finding.culprit.line == Path(__file__).read_text(encoding="utf-8").splitlines().index(BRANCH) + 1


def test_the_outputs_stand_in_for_a_loss() -> None:
    def loss() -> torch.Tensor:
        raise AssertionError("it is not run")

    report = fxaudit.audit(BySize(), loss, inputs=(torch.ones(2, 4),), device="meta")
    assert report["short.weight"].verdict == "trained"
    assert any("outputs in place of a loss" in note for note in report.notes)


def test_another_device_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"'cuda:1'\. Expected: 'meta'"):
        fxaudit.audit(BySize(), device="cuda:1")


def test_inputs_belong_to_one_model() -> None:
    with pytest.raises(InvalidInputsError):
        fxaudit.audit({"a": BySize(), "b": BySize()}, inputs=(torch.ones(2, 4),), device="meta")


TARGET = """
import torch
from torch import nn

def make():
    model = nn.Sequential(nn.Linear(200_000, 200_000), nn.ReLU(), nn.Linear(200_000, 200_000))
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
    return model, lambda: model(torch.ones(2, 200_000)).sum(), optimizer

def small():
    return nn.Linear(3, 3)
"""


def test_check_makes_the_target_on_the_meta_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "big.py"
    file.write_text(TARGET, encoding="utf-8")
    assert cli.main(["check", "--device", "meta", f"{file}:make"]) == 1
    assert "FXA301" in capsys.readouterr().out


@pytest.mark.slow
def test_check_of_several_targets_makes_them_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "big.py"
    file.write_text(TARGET, encoding="utf-8")
    assert cli.main(["check", "--device", "meta", f"{file}:make", f"{file}:small"]) == 1
    assert "FXA301" in capsys.readouterr().out
