"""What first happens after the recorded steps is waited for, and recorded when it comes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

import fxaudit
from fxaudit.run import enough, lookout
from fxaudit.run.script import run_script
from tests.scripts import judged, line_of


def make() -> tuple[nn.Sequential, torch.Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)), torch.randn(8, 4)


def step(model: nn.Module, x: torch.Tensor, *optimizers: torch.optim.Optimizer) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    model(x).square().mean().backward()
    for optimizer in optimizers:
        optimizer.step()


def test_an_optimizer_made_while_the_recording_rests_is_known_with_its_line() -> None:
    model, x = make()
    first = torch.optim.SGD(model[2].parameters(), lr=0.1)
    waits = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)  # keeps something open
    with fxaudit.watch(model, first, waits) as watching:
        for _ in range(60):
            step(model, x, first)
        second = torch.optim.SGD(model[0].parameters(), lr=0.1)
        line = second_line()
        for _ in range(5):
            step(model, x, first, second)
    report = watching.report
    assert (report["0.weight"].verdict, report["0.bias"].verdict) == ("trained", "trained")
    assert line in {optimizer.source.line for optimizer in report.optimizers if optimizer.source}


def second_line() -> int:
    """The line before that of the caller."""
    return sys._getframe(1).f_lineno - 1


def test_what_never_happens_is_given_up_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "MAX_STEPS", 20)
    model, x = make()
    frozen_rate = torch.optim.SGD(model.parameters(), lr=0.0)
    rounds = 0
    with fxaudit.watch(model, frozen_rate) as watching:
        while rounds < 200:
            rounds += 1
            step(model, x, frozen_rate)
    assert {p.verdict for p in watching.report} == {"blocked"}
    assert {f.code for f in watching.report.findings} == {"FXA304"}
    assert any(f"{lookout.MAX_STEPS} more" in note for note in watching.report.notes)


def test_a_gradient_that_first_comes_late_is_seen() -> None:
    model, x = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch(model, optimizer) as watching:
        for number in range(70):
            optimizer.zero_grad()
            hidden = model[0](x).tanh()
            model[2](hidden.detach() * 0 if number < 60 else hidden).square().mean().backward()
            optimizer.step()
    assert {p.verdict for p in watching.report} == {"trained"}


class Counting(TorchFunctionMode):
    """A mode of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func: Callable[..., object], types: object, args: object = (), kwargs: object = None):
        self.calls += 1
        return func(*args, **(kwargs or {}))  # type: ignore[misc]


def test_a_mode_that_the_loop_puts_on_is_never_taken_off_in_disorder() -> None:
    def loop(model: nn.Module, x: torch.Tensor) -> tuple[list[float], int]:
        idle = torch.optim.SGD(model[0].parameters(), lr=0.0)
        busy = torch.optim.SGD(model[2].parameters(), lr=0.1)
        mode, seen = Counting(), []
        for number in range(80):
            if number == 70:
                idle.param_groups[0]["lr"] = 0.1
            if number in (40, 65):
                with mode:
                    for _ in range(12):
                        step(model, x, idle, busy)
            step(model, x, idle, busy)
            seen.append(model[0].weight.sum().item())
        return seen, mode.calls

    plain = loop(*make())
    model, x = make()
    with fxaudit.watch(model) as watching:
        watched = loop(model, x)
    assert watched[0] == plain[0]
    assert watching.report["0.weight"].verdict == "trained"


def test_the_recorded_steps_are_few_also_when_much_is_open(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n"
        "model = torch.nn.Linear(2, 1)\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.0)\n"
        "for _ in range(300):\n"
        "    optimizer.zero_grad()\n"
        "    model(torch.ones(3, 2)).sum().backward()\n"
        "    optimizer.step()\n"
    )
    report = run_script([str(script)])
    assert report["weight"].verdict == "blocked"
    assert len(report.steps) <= enough.MAX_STEPS + enough.ENCORE


def stopping(what: str) -> fxaudit.Report:
    model, x = make()
    optimizer = torch.optim.SGD([{"params": model[0].parameters()}, {"params": model[2].parameters()}], lr=0.1)
    with fxaudit.watch(model, optimizer) as watching:
        for number in range(60):
            if number == 30 and what == "frozen":
                model[0].requires_grad_(False)
                model[0].zero_grad()
            if number == 30 and what == "rate":
                optimizer.param_groups[0]["lr"] = 0.0
            optimizer.zero_grad()
            hidden = model[0](x).tanh()
            model[2](hidden.detach() if number >= 30 and what == "detached" else hidden).square().mean().backward()
            optimizer.step()
    return watching.report


@pytest.mark.parametrize(
    ("what", "reason"),
    [("frozen", "it was frozen"), ("rate", "its learning rate is 0"), ("detached", "no gradient arrives")],
)
def test_a_parameter_that_stops_training_after_the_recorded_steps_is_noticed(what: str, reason: str) -> None:
    report = stopping(what)
    assert report["0.weight"].verdict == "trained"
    (finding,) = report.findings
    assert finding.message.startswith(f"`0.*` stopped training: {reason} in the last 30 of ")
    assert (finding.code, finding.level) == ("FXA411", "note" if what == "frozen" else "warning")
    assert finding.parameters == ("0.weight", "0.bias")
    assert report["0.weight"].findings == (finding,) and report["2.weight"].findings == ()
    assert [rule.code for rule in report.rules] == ["FXA411"]
    assert line_of(finding) == ('optimizer.param_groups[0]["lr"] = 0.0' if what == "rate" else "")


def test_nothing_is_said_of_parameters_that_go_on_training() -> None:
    assert (stopping("nothing").notes, stopping("nothing").findings) == ((), ())


def test_a_schedule_that_ends_at_0_is_blamed_where_it_is_built(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn

        def main():
            model = nn.Linear(4, 4)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0)
            for epoch in range(6):
                for _ in range(7):
                    optimizer.zero_grad()
                    model(torch.randn(2, 4)).pow(2).mean().backward()
                    optimizer.step()
                scheduler.step()

        main()
        """
    report = judged(tmp_path, text, to_end=True)
    assert report["weight"].verdict == "trained"
    assert [f.code for f in report.findings] == ["FXA411"]
    assert line_of(report.findings[0]) == "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0)"
    assert report.exit_code == 0
