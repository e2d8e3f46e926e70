from __future__ import annotations

import copy
import importlib.util
import inspect
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import fxaudit
from fxaudit.errors import InvalidExpectationError, InvalidModelError
from fxaudit.judge.rule import Example
from fxaudit.judge.rules import RULES
from fxaudit.report import Report

SOURCE = Path(__file__).read_text(encoding="utf-8").splitlines()
SGD = torch.optim.SGD


def line_of(mark: str) -> int:
    """The line of this file that ends in `# mark`."""
    (found,) = [number for number, text in enumerate(SOURCE, 1) if text.endswith(f"# {mark}")]
    return found


def sgd(model: nn.Module, lr: float = 0.1) -> SGD:
    return SGD(model.parameters(), lr=lr)


def verdicts(report: Report) -> dict[str, str]:
    """The verdict of each module's parameters, which all must have the same."""
    found: dict[str, set[str]] = {}
    for parameter in report:
        found.setdefault(parameter.name.rpartition(".")[0], set()).add(parameter.verdict)
    assert all(len(words) == 1 for words in found.values()), found
    return {name: words.pop() for name, words in found.items()}


def only_finding(report: Report, code: str) -> Any:
    assert [finding.code for finding in report.findings] == [code]
    return report.findings[0]


class Net(nn.Module):
    """Two layers; what forward does with them is the trait of each subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.last(torch.relu(self.first(x)))


# Healthy models.


class Cnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(8, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x).mean((2, 3)))


HEALTHY: list[Callable[[], nn.Module]] = [
    lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)),
    Cnn,
    lambda: nn.Transformer(16, 2, 1, 1, 32, batch_first=True),
    lambda: nn.LSTM(4, 4),
    lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)),
]


@pytest.mark.parametrize("make", HEALTHY, ids=["mlp", "cnn", "transformer", "lstm", "weight_norm"])
def test_a_healthy_model_is_trained_throughout(make: Callable[[], nn.Module]) -> None:
    model = make()
    alone = fxaudit.audit(model)
    held = fxaudit.audit(model, optimizer=sgd(model))
    assert alone.verdicts() == held.verdicts() == {"trained": len(list(model.parameters()))}
    assert alone.findings == held.findings == ()
    assert alone.ok and held.ok
    assert alone.symbolic.status == "traced"


def test_the_reason_says_that_only_the_structure_was_judged() -> None:
    model = Net()
    alone, held = fxaudit.audit(model), fxaudit.audit(model, optimizer=sgd(model))
    assert alone["first.weight"].reason == "the structure lets gradient pass; it trains if an optimizer holds it"
    assert held["first.weight"].reason == "the structure lets gradient pass, and an optimizer holds it"
    assert held["first.weight"].held_by and not alone["first.weight"].held_by
    assert (
        alone.notes[0] == "Nothing was executed: the structure was traced, with the model's outputs in place of a loss."
    )
    assert any("No optimizer was given" in note for note in alone.notes)
    assert not any("No optimizer was given" in note for note in held.notes)
    assert held.steps == ()


def test_several_models_are_told_apart_by_their_names() -> None:
    models = {"actor": Net(), "critic": Net()}
    report = fxaudit.audit(models, optimizer=[sgd(models["actor"])])
    assert verdicts(report) == {
        "actor.first": "trained",
        "actor.last": "trained",
        "critic.first": "excluded",
        "critic.last": "excluded",
    }


# What stops gradient.


class Detached(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x).detach()  # detached
        return self.last(h)


def test_a_detach_is_found_at_its_line_with_the_path_to_it() -> None:
    report = fxaudit.audit(Detached())
    assert verdicts(report) == {"first": "unreachable", "last": "trained"}
    finding = only_finding(report, "FXA104")
    assert (finding.level, finding.message) == ("error", "`.detach()` cuts `first.*` off from the loss")
    assert finding.culprit.line == line_of("detached")
    assert [(step.kind, step.label) for step in finding.path] == [
        ("parameter", "first.weight"),
        ("operation", "linear"),
        ("cut", "detach"),
        ("operation", "linear"),
        ("loss", "loss"),
    ]
    assert [step.label for step in report["first.bias"].path] == ["first.bias", *(s.label for s in finding.path[1:])]
    assert report["first.bias"].culprit == finding.culprit
    assert report.exit_code == 1
    assert [rule.code for rule in report.rules] == ["FXA104"]


class NoGrad(Net):
    def forward(self, x: Any) -> Any:
        with torch.no_grad():  # no-grad
            h = self.first(x)
        return self.last(h)


class Item(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x).mean().item()  # item
        return self.last(x) * h


class Rewrapped(Net):
    def forward(self, x: Any) -> Any:
        h = torch.tensor(self.first(x))  # rewrapped
        return self.last(h)


class Argmax(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x).argmax(-1)  # argmax
        return self.last(x) * h


class UnusedValue(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        h = self.last(x)  # dead end
        return h


class Reentrant(Net):
    def forward(self, x: Any) -> Any:
        h = checkpoint(self.first, x, use_reentrant=True)  # reentrant
        return self.last(h)


class UnusedHead(Net):
    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(4, 2)  # unused head


class UnreadParameter(Net):
    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Module()
        self.unread = nn.Parameter(torch.ones(4))  # unread


class Slot(Net):
    def forward(self, x: Any) -> Any:
        self.first.weight = self.first.weight * 2  # slot
        return self.last(self.first(x))


class Overwritten(Net):
    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            self.first.weight.copy_(torch.eye(4))  # overwritten
        return self.last(self.first(x))


class InList(Net):
    def __init__(self) -> None:
        super().__init__()
        self.more = [nn.Linear(4, 4), nn.Linear(4, 4)]  # list

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        for layer in self.more:
            x = layer(x)
        return self.last(x)


class NotLeaf(Net):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4)) * 2  # not a leaf

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x) * self.scale)


DEFECTS: list[tuple[type[nn.Module], str, str, str, str]] = [
    (NoGrad, "FXA105", "no-grad", "unreachable", "first.weight"),
    (Item, "FXA106", "item", "unreachable", "first.weight"),
    (Rewrapped, "FXA107", "rewrapped", "unreachable", "first.weight"),
    (Argmax, "FXA108", "argmax", "unreachable", "first.weight"),
    (UnusedValue, "FXA103", "dead end", "unreachable", "first.weight"),
    (Reentrant, "FXA110", "reentrant", "unreachable", "first.weight"),
    (UnusedHead, "FXA101", "unused head", "unreachable", "spare.weight"),
    (UnreadParameter, "FXA102", "unread", "unreachable", "unread"),
    (Slot, "FXA201", "slot", "replaced", "first.weight"),
    (Overwritten, "FXA202", "overwritten", "replaced", "first.weight"),
    (InList, "FXA205", "list", "unregistered", "more[0].weight"),
    (NotLeaf, "FXA206", "not a leaf", "unregistered", "scale"),
]


@pytest.mark.parametrize(("kind", "code", "mark", "verdict", "name"), DEFECTS, ids=[row[1] for row in DEFECTS])
def test_a_defect_is_found_at_its_line_without_execution(
    kind: type[nn.Module], code: str, mark: str, verdict: str, name: str
) -> None:
    model = kind()
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert report[name].verdict == verdict
    assert report["last.weight"].verdict == "trained"
    finding = only_finding(report, code)
    assert finding.level == "error"
    assert finding.culprit is not None
    assert finding.culprit.line == line_of(mark)
    assert name in finding.parameters
    assert finding.path[0].label == finding.parameters[0]


def test_what_may_be_intended_is_a_warning_where_no_optimizer_is_known_and_a_note_where_none_holds_it() -> None:
    model = UnusedHead()
    partial = SGD([*model.first.parameters(), *model.last.parameters()], lr=0.1)
    levels = [
        only_finding(fxaudit.audit(model, optimizer=each), "FXA101").level for each in (sgd(model), None, partial)
    ]
    assert levels == ["error", "warning", "note"]


def copy_of(rule: type, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rule from a copy of its file: code inside the package is nobody's line."""
    path = folder / f"copy_of_{rule.__name__}.py"
    text = inspect.getsource(sys.modules[rule.__module__])
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return getattr(module, rule.__name__)


SEEN_BY_STRUCTURE = ("FXA103", "FXA104", "FXA105", "FXA106", "FXA107", "FXA108", "FXA201", "FXA205", "FXA206", "FXA901")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.code in SEEN_BY_STRUCTURE], ids=lambda rule: rule.code)
def test_a_rules_own_example_is_found_at_the_marked_line(
    rule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copy_of(rule, tmp_path, monkeypatch)
    lines = inspect.getsource(sys.modules[rule.__module__]).splitlines()
    (marked,) = [number for number, text in enumerate(lines, 1) if text.endswith(f"# {rule.code}")]
    bad: Example = copied.bad()
    finding = only_finding(fxaudit.audit(bad.model, optimizer=bad.optimizer), rule.code)
    assert finding.culprit is not None
    assert finding.culprit.line == marked


# Optimizers.


def test_what_the_optimizer_leaves_out_is_excluded() -> None:
    model = Net()
    report = fxaudit.audit(model, optimizer=sgd(model.last))
    assert verdicts(report) == {"first": "excluded", "last": "trained"}
    assert only_finding(report, "FXA301").message == "`SGD` does not hold `first.*`"


def test_an_optimizer_without_parameters_is_found() -> None:
    model = Net()
    report = fxaudit.audit(model, optimizer=SGD([{"params": []}], lr=0.1))
    assert report.verdicts() == {"excluded": 4}
    only_finding(report, "FXA302")


def test_a_learning_rate_of_zero_blocks() -> None:
    model = Net()
    report = fxaudit.audit(model, optimizer=sgd(model, lr=0.0))
    assert report.verdicts() == {"blocked": 4}
    only_finding(report, "FXA304")


def test_what_two_optimizers_hold_is_found() -> None:
    model = Net()
    assert only_finding(fxaudit.audit(model, optimizer=[sgd(model), sgd(model)]), "FXA305").level == "warning"


def test_what_is_frozen_and_held_is_a_note() -> None:
    model = Net()
    model.first.requires_grad_(False)
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert verdicts(report) == {"first": "frozen", "last": "trained"}
    assert only_finding(report, "FXA306").level == "note"


def test_a_held_tensor_that_the_model_lacks_is_stale_and_an_error_only_where_the_model_lacks_an_optimizer() -> None:
    model, other = Net(), nn.Parameter(torch.ones(3))
    beside = fxaudit.audit(model, optimizer=SGD([*model.parameters(), other], lr=0.1))
    assert beside["other"].verdict == "stale"
    assert only_finding(beside, "FXA303").level == "note"
    instead = fxaudit.audit(model, optimizer=SGD([*model.first.parameters(), other], lr=0.1))
    assert [(finding.code, finding.level) for finding in instead.findings] == [("FXA301", "error"), ("FXA303", "error")]


def test_inside_a_watch_it_knows_where_things_were_made() -> None:
    with fxaudit.watch():
        model = Net()
        optimizer = sgd(model)
        model.last = nn.Linear(4, 3)  # replaced
        report = fxaudit.audit(model, optimizer=optimizer)
    assert report.verdicts() == {"trained": 2, "excluded": 2, "stale": 2}
    assert report["last.weight"].verdict == "excluded"
    assert report["last.weight (old)"].verdict == "stale"
    finding = only_finding(report, "FXA204")
    assert finding.culprit.line == line_of("replaced")


def test_a_watch_around_it_does_not_see_the_trace() -> None:
    model = Net()
    with fxaudit.watch(model) as watching:
        fxaudit.audit(model)
        fxaudit.audit(model, optimizer=sgd(model))
    assert watching._observation.session.record.calls == []
    assert watching._observation.session.record.ops == []


# What nobody can know.


class DataDependent(Net):
    def forward(self, x: Any) -> Any:
        x = self.first(x)
        if x.sum() > 0:  # data-dependent
            x = -x
        return self.last(x)


def test_where_control_flow_depends_on_data_everything_is_unknown_and_a_note_names_the_line() -> None:
    model = DataDependent()
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert report.verdicts() == {"unknown": 4}
    assert report["first.weight"].reason == "the symbolic trace stopped before the end of the forward"
    finding = only_finding(report, "FXA901")
    assert finding.level == "note"
    assert finding.culprit.line == line_of("data-dependent")
    assert report.symbolic.status == "stopped"
    assert report.symbolic.source == finding.culprit
    assert "control flow depends on the value" in report.symbolic.reason
    assert report.exit_code == 3
    assert report.summary == "4 of 4 parameters, 30 of 30 elements, could not be judged."


def test_what_is_settled_without_the_trace_stays_settled_where_it_stops() -> None:
    model = DataDependent()
    model.first.requires_grad_(False)
    report = fxaudit.audit(model)
    assert verdicts(report) == {"first": "frozen", "last": "unknown"}
    assert report.exit_code == 0


class Branching(Net):
    def forward(self, x: Any, mask: Any = None) -> Any:
        if x.shape[1] > 3:
            return self.first(x)
        return self.last(x)


class Optional(Net):
    def forward(self, x: Any, mask: Any = None) -> Any:
        if mask is not None:
            x = self.first(mask)
        return self.last(x)


class Paired(Net):
    def forward(self, image: Any, text: Any = None, mask: Any = None) -> Any:
        pair = self.encode(text) if image is not None and text is not None and mask is not None else None
        return self.last(image), pair

    def encode(self, text: Any) -> Any:
        return text @ self.first.weight.to(text.dtype)


class TypeOfAPart(Net):
    def forward(self, batch: Any) -> Any:
        x = batch["x"]
        if isinstance(x, dict):
            x = self.first(x["a"])
        return self.last(x)


class PartThatIsNone(Net):
    def forward(self, batch: Any) -> Any:
        x, *rest = batch
        for extra in rest:
            if extra is None:
                x = self.first(x)
        return self.last(x)


class KeyOfAPart(Net):
    def forward(self, batch: Any) -> Any:
        x = batch["x"]
        if "mask" in batch:
            x = x + self.first(batch["mask"])
        return self.last(x)


class KeyThatIsMissing(Net):
    def forward(self, batch: Any) -> Any:
        if "mask" not in batch:
            return self.last(batch["x"])
        return self.last(self.first(batch["x"]))


class JoinedWhenBothAreThere(Net):
    def forward(self, x: Any, image: Any = None) -> Any:
        text = self.first(x)
        joined = None
        if image is not None:
            joined = self.last(torch.cat([text, image]))
        return self.last(x), joined


class LayerDrop(Net):
    def forward(self, x: Any) -> Any:
        if random.random() < 2:
            return self.last(x)
        return self.last(self.first(x))


class Elsewhere(Net):
    def forward(self, x: Any) -> Any:
        return self.last(x)

    def encode(self, x: Any) -> Any:
        return self.first(x)


class Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.round()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(x: Any, factor: Any, power: int) -> Any:
        return x * factor**power

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.power = inputs[2]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Any) -> Any:
        x, factor = ctx.saved_tensors
        return gradient * factor**ctx.power, (gradient * x).sum(), None


class HalfLost(Straight):
    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return torch.zeros_like(gradient)


class Precomputed(Straight):
    """Its gradient is what the forward saved; what comes to it plays no part."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.kept = x.detach()
        return x.sum()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return ctx.kept


class Torn(Straight):
    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient if gradient.sum() > 0 else None


class Custom(Net):
    function: Any = Torn

    def forward(self, x: Any) -> Any:
        return self.last(self.function.apply(self.first(x)))


class WithScale(Net):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Any) -> Any:
        return self.last(Scaled.apply(self.first(x), self.scale, 2))


def test_a_backward_that_hands_its_gradient_on_is_seen_through() -> None:
    net = Custom()
    net.function = Straight
    for model in (net, WithScale()):
        report = fxaudit.audit(model)
        assert set(report.verdicts()) == {"trained"} and not report.findings
        assert report.verdicts() == fxaudit.audit(model, inputs=(torch.randn(3, 4),)).verdicts()


@pytest.mark.parametrize("function", [HalfLost, Precomputed, Torn])
def test_a_backward_whose_gradient_comes_from_elsewhere_is_left_open(function: Any) -> None:
    net = Custom()
    net.function = function
    assert fxaudit.audit(net)["first.weight"].verdict == "unknown"
    assert fxaudit.audit(net).findings == ()


def test_following_a_custom_function_leaves_nothing_in_the_trace() -> None:
    found = fxaudit.trace(WithScale())
    linear = "torch.nn.functional.linear"
    assert [op.target for op in found.ops if op.kind == "call"] == [linear, "Scaled", linear]
    assert not found.obstacles


class Bypassed(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        if x.shape[0] > 3:
            return h
        return self.last(h.detach())


class Signed(Net):
    def forward(self, x: Any) -> Any:
        self.first.weight.data = self.first.weight.data.sign()
        return self.last(self.first(x))


class Dropped(Net):
    """A layer that a draw of torch's leaves out, as a layer drop does."""

    def forward(self, x: Any, keep: bool = False) -> Any:
        skipped = torch.rand([]) < 0.1
        if not skipped or keep:
            x = self.first(x)
        return self.last(x)


class UsedOnBothSides(Net):
    def forward(self, x: Any) -> Any:
        if x.shape[0] == 4 and x.shape[1] == 4:
            h = self.first(x)
        else:
            x = x[:4]
            h = self.first(x)
        return self.last(h)


def test_what_both_sides_of_a_branch_use_is_used() -> None:
    model = UsedOnBothSides()
    assert verdicts(fxaudit.audit(model, optimizer=sgd(model))) == {"first": "trained", "last": "trained"}


class DrawnButCounted(Net):
    def forward(self, x: Any) -> Any:
        limit = torch.ones([]) * 2
        if not limit < 1:
            x = self.first(x)
        return self.last(x)


class Windowed(Net):
    """What `first` makes is used only where the input is long enough, though it is read before anybody asks."""

    def forward(self, x: Any) -> Any:
        made = self.first(x)
        if made.shape[0] > 2:
            return self.last(made.view(-1, 4))
        return self.last(made.new_zeros((2, 4)))


class UnseenOtherWay(Net):
    """The other way is one that the trace cannot follow: what it uses is not known."""

    def forward(self, x: Any) -> Any:
        made = self.first(x)
        if made.shape[0] > 2:
            return self.last(torch.relu(self.first(made)))
        return self.last(torch.zeros(int(made.sum()), 4))


class Cache:
    def __init__(self, kept: Any) -> None:
        self.kept = kept


class Caching(Net):
    """What `first` makes is only in the cache that is returned beside the output."""

    def forward(self, x: Any) -> Any:
        return {"logits": self.last(x), "cache": Cache(self.first(x))}


class Boxed(Net):
    def forward(self, x: Any) -> Any:
        return Cache(self.last(self.first(x)))


def test_what_is_only_in_a_returned_object_is_open() -> None:
    report = fxaudit.audit(Caching())
    assert verdicts(report) == {"first": "unknown", "last": "trained"} and not report.findings
    assert "inside an object" in report["first.weight"].reason
    assert fxaudit.audit(Boxed()).verdicts() == {"trained": 4}


class ReadBefore(Net):
    def forward(self, x: Any) -> Any:
        made = self.first(x)
        if made.shape[0] % 2 > 0:
            return self.last(torch.relu(made))
        else:
            return self.last(made)


class Padded(Net):
    def forward(self, x: Any) -> Any:
        made = self.first(x)
        if made.shape[0] % 2 > 0:
            made = torch.nn.functional.pad(made, (0, 0, 0, 1))
        return self.last(made)


def test_what_is_used_on_one_side_of_a_size_only_is_open() -> None:
    for model in (Windowed(), UnseenOtherWay()):
        report = fxaudit.audit(model)
        assert report["first.weight"].verdict == "unknown" and not report.findings
        assert "`made.shape[0] > 2` in line" in report["first.weight"].reason
    assert fxaudit.audit(Windowed())["last.weight"].verdict == "trained"
    short, long = (fxaudit.audit(Windowed(), inputs=(torch.randn(size, 4),)) for size in (2, 4))
    assert (short["first.weight"].verdict, long["first.weight"].verdict) == ("unreachable", "trained")


@pytest.mark.parametrize("kind", [ReadBefore, Padded])
def test_what_is_used_on_both_sides_of_a_size_is_trained(kind: type[nn.Module]) -> None:
    assert fxaudit.audit(kind()).verdicts() == {"trained": 4}


def test_what_a_random_draw_decides_trains_in_one_step_or_another() -> None:
    model = Dropped()
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert verdicts(report) == {"first": "trained", "last": "trained"}
    counted = DrawnButCounted()
    report = fxaudit.audit(counted, optimizer=sgd(counted))
    assert verdicts(report) == {"first": "unknown", "last": "trained"}


OPEN: list[tuple[type[nn.Module], str]] = [
    (Branching, "`x.shape[1] > 3` in line"),
    (Optional, "it runs only when `mask` is given"),
    (Paired, "it runs only when `text` and `mask` are given"),
    (JoinedWhenBothAreThere, "it runs only when `image` is given"),
    (TypeOfAPart, "`isinstance(x, dict)` depends on what an input holds"),
    (PartThatIsNone, "how often the loop in line"),
    (KeyOfAPart, "`'mask' in batch` in line"),
    (KeyThatIsMissing, "depends on what only data can tell"),
    (LayerDrop, "random draw"),
    (Elsewhere, "`encode` uses it, which no forward calls"),
    (Custom, "`Torn`, whose backward only a run can show"),
    (Bypassed, "depends on what only data can tell"),
    (Signed, "only a real step tells what is kept"),
]


@pytest.mark.parametrize(("kind", "reason"), OPEN, ids=[row[0].__name__ for row in OPEN])
def test_what_only_a_run_can_tell_is_unknown_and_raises_no_alarm(kind: type[nn.Module], reason: str) -> None:
    model = kind()
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert report["first.weight"].verdict == "unknown"
    assert reason in report["first.weight"].reason
    assert report.findings == ()


class Checked(Net):
    def forward(self, x: Any) -> Any:
        if x.dim() != 2:
            raise ValueError("expected a batch of vectors")
        if x.shape[0] == 1:
            x = x.expand(2, 4)
        h = self.first(x).detach()  # checked
        return self.last(h)


def test_a_check_of_the_shape_casts_no_doubt_on_a_cut() -> None:
    report = fxaudit.audit(Checked())
    assert only_finding(report, "FXA104").culprit.line == line_of("checked")


class Clamped(Net):
    def forward(self, x: Any) -> Any:
        self.first.weight.data.clamp_(-1, 1)
        self.last.weight = self.last.weight
        return self.last(self.first(x))


def test_a_write_that_keeps_the_value_is_no_replacement() -> None:
    assert fxaudit.audit(Clamped()).verdicts() == {"trained": 4}


class Teacher(Net):
    def __init__(self) -> None:
        super().__init__()
        self.teacher = [Net()]

    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            target = self.teacher[0](x)
        return super().forward(x) - target


def test_a_teacher_that_is_hidden_on_purpose_is_not_listed() -> None:
    assert len(fxaudit.audit(Teacher())) == 4


# Expectations, rules, misuse.


def test_a_met_expectation_is_no_finding_and_broken_ones_are() -> None:
    model = Detached()
    met = fxaudit.audit(model, optimizer=sgd(model), expect={"first.*": "unreachable"})
    assert met.findings == ()
    broken = fxaudit.audit(model, optimizer=sgd(model), expect={"last.*": "frozen", "first.*": "trained"})
    assert [finding.code for finding in broken.findings] == ["FXA104", "FXA602", "FXA601"]  # the most elements first
    unjudged = DataDependent()
    open_ = fxaudit.audit(unjudged, optimizer=sgd(unjudged), expect={"first.*": "trained"})
    assert {(finding.code, finding.level) for finding in open_.findings} == {("FXA602", "note"), ("FXA901", "note")}


def test_an_expectation_that_matches_nothing_is_refused() -> None:
    with pytest.raises(InvalidExpectationError, match=r"'head\.\*' matches no parameter"):
        fxaudit.audit(Net(), expect={"head.*": "frozen"})


def test_only_the_given_rules_are_asked() -> None:
    report = fxaudit.audit(Detached(), rules=[rule for rule in RULES if rule.code == "FXA101"])
    assert report.findings == ()
    assert report["first.weight"].verdict == "unreachable"


@pytest.mark.parametrize(
    ("model", "given"),
    [(nn.ReLU(), "a ReLU"), (nn.Sequential(), "a Sequential"), ({"a": nn.ReLU(), "b": nn.ReLU()}, "a dict of modules")],
)
def test_a_model_without_parameters_is_refused(model: Any, given: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        fxaudit.audit(model)
    assert str(caught.value) == (
        f"`model` is {given} without any parameter. Expected: a module with parameters to train."
    )


class AllInList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def test_a_model_whose_layers_are_all_in_a_list_is_explained() -> None:
    report = fxaudit.audit(AllInList())
    assert report.verdicts() == {"unregistered": 4}
    assert "kept in the Python list `layers`" in only_finding(report, "FXA205").message
    assert report.summary == "4 unregistered tensors and no parameter: one cause."


# Nothing is executed, and nothing changes.


class Kernels(TorchDispatchMode):
    """Counts the kernels that run, those on the meta device left out."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [each for each in (*args, result) if isinstance(each, torch.Tensor)]
        if tensors and not any(each.is_meta for each in tensors):
            self.ran.append(str(func))
        return result


@pytest.mark.parametrize("kind", [Net, Cnn, Detached, NoGrad, Item, Slot, Overwritten, DataDependent])
def test_no_kernel_runs(kind: type[nn.Module]) -> None:
    model = kind()
    optimizer = sgd(model)
    with Kernels() as kernels:
        fxaudit.audit(model, optimizer=optimizer)
    # Detaching the values for a look at them is no computation.
    assert [name for name in kernels.ran if "detach" not in name and "alias" not in name] == []


def test_a_model_of_any_size_is_judged_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = nn.Sequential(*[nn.Linear(100_000, 100_000) for _ in range(40)])
    report = fxaudit.audit(model)
    assert report.verdicts() == {"trained": 80}
    assert report.summary == "All 80 parameters can get a gradient."
    assert report["0.weight"].numel == 10**10


@pytest.mark.parametrize("kind", [Cnn, Slot, Overwritten, InList, DataDependent, LayerDrop])
def test_the_model_the_optimizer_and_all_generators_stay_as_they_were(kind: type[nn.Module]) -> None:
    model = kind()
    optimizer = sgd(model)
    attributes = {name: dict(vars(module)) for name, module in model.named_modules()}
    state = copy.deepcopy(model.state_dict())
    groups = copy.deepcopy(optimizer.state_dict())
    generators = torch.get_rng_state(), random.getstate()
    identities = [id(parameter) for parameter in model.parameters()]
    fxaudit.audit(model, optimizer=optimizer)
    assert {name: dict(vars(module)) for name, module in model.named_modules()} == attributes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [id(parameter) for parameter in model.parameters()] == identities
    assert all(parameter.grad is None for parameter in model.parameters())
    assert optimizer.state_dict() == groups
    assert torch.equal(torch.get_rng_state(), generators[0])
    assert random.getstate() == generators[1]
    assert torch.is_grad_enabled()


# The report.


@pytest.mark.parametrize("kind", [Cnn, Detached, Item, Slot, Overwritten, InList, DataDependent, UnusedHead])
def test_the_report_survives_json_and_draws_every_picture(kind: type[nn.Module]) -> None:
    model = kind()
    report = fxaudit.audit(model, optimizer=sgd(model))
    assert Report.from_json(report.to_json()) == report
    for view in ("modules", "operations"):
        assert "digraph" in report.draw(view=view).source
    for parameter in report:
        assert "digraph" in report.draw(parameter.name).source
    assert str(report)


def test_the_graph_holds_the_operations_with_their_cuts() -> None:
    model = Detached()
    data = fxaudit.audit(model, optimizer=sgd(model)).graph_data
    assert [(module.name, module.type, module.called) for module in data.modules] == [
        ("", "Detached", True),
        ("first", "Linear", True),
        ("last", "Linear", True),
    ]
    labels = [(node.kind, node.label) for node in data.nodes]
    assert labels.count(("op", "linear")) == 2
    assert ("op", "detach") in labels and ("loss", "loss") in labels
    (cut,) = [edge for edge in data.edges if edge.cut]
    assert (labels[cut.source][1], labels[cut.target][1]) == ("linear", "detach")
    assert sum(edge.kind == "holds" for edge in data.edges) == 4
    detach = data.nodes[cut.target]
    assert data.sources[detach.source].line == line_of("detached")


class Lost(Net):
    def forward(self, x: Any) -> Any:
        return torch.func.grad(lambda point: self.last(self.first(point)).sum())(x)


class Shared(Net):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.ones(4))

    def forward(self, x: Any) -> Any:
        base = torch.zeros(4, 4)
        column = base[:, 2]
        base.diagonal().add_(self.shift)
        return self.last(self.first(x * column))


@pytest.mark.parametrize(("kind", "name"), [(Lost, "first.weight"), (Shared, "shift")])
def test_a_value_that_the_trace_loses_sight_of_is_unknown(kind: type[nn.Module], name: str) -> None:
    report = fxaudit.audit(kind())
    assert report[name].verdict == "unknown"
    assert report.findings == ()


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_a_scripted_module_is_an_opaque_region() -> None:
    report = fxaudit.audit(nn.Sequential(nn.Linear(4, 4), torch.jit.script(nn.Linear(4, 4)), nn.Linear(4, 4)))
    assert verdicts(report) == {"0": "unknown", "1": "unknown", "2": "trained"}
    assert "could not be followed: the module is scripted" in report["1.weight"].reason
    assert any("the module is scripted" in note for note in report.notes)
