"""Trials that go wrong, and what is said of them; and which trials count as mending."""

from __future__ import annotations

import dataclasses
import math
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fxaudit.answer.answer import Answer, ParameterReport, StepReport
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import Finding
from fxaudit.answer.mended import first_difference, seen, shortfall
from fxaudit.judge import fixes
from fxaudit.program.edits.syntax import Place
from fxaudit.run import trial
from fxaudit.run.mending import Texts, mend
from tests.fixes.test_scripts import LOOP, NET, START
from tests.fixes.trying import HEAD, InForks, best, mended
from tests.scripts import judged

CUT = NET.replace("torch.tanh(self.a(x))", "torch.tanh(self.a(x)).detach()")


def answer(*findings: Finding, **verdicts: str) -> Answer:
    parameters = {
        name.replace("__", "."): ParameterReport(name.replace("__", "."), verdict, "")  # type: ignore[arg-type]
        for name, verdict in verdicts.items()
    }
    return Answer(parameters=parameters, findings=findings)


DEAD = Finding("FXA104", "detached-path", "error", "cut", "", ("a.w",))


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (answer(a__w="trained", b__w="trained", c__w="frozen"), ""),
        (answer(a__w="unreachable", b__w="trained", c__w="frozen"), "`a.w` is still unreachable"),
        (answer(a__w="blocked", b__w="trained", c__w="frozen"), "`a.w` is blocked"),
        (answer(b__w="trained", c__w="frozen"), "`a.w` is no longer there"),
        (answer(a__w="trained", b__w="blocked", c__w="frozen"), "`b.w` becomes blocked"),
        (answer(a__w="trained", b__w="trained", c__w="trained"), "`c.w` becomes trained"),
        (answer(a__w="trained", c__w="frozen"), "`b.w` is no longer there"),
        (answer(DEAD, a__w="trained", b__w="trained", c__w="frozen"), "FXA104 is still found"),
        (
            answer(
                Finding("FXA404", "never-cleared", "warning", "not cleared", "", ("a.w",)),
                a__w="trained", b__w="trained", c__w="frozen",
            ),
            "FXA404 is found then: not cleared",
        ),
        (
            dataclasses.replace(answer(a__w="trained"), script_exit="ValueError: no"),
            "the script then ended with ValueError: no",
        ),
    ],
)  # fmt: skip
def test_a_trial_mends_only_where_nothing_is_worse(after: Answer, reason: str) -> None:
    before = answer(DEAD, a__w="unreachable", b__w="trained", c__w="frozen")
    assert shortfall(before, after, [DEAD]) == reason


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (0.7, 0.7, ", the loss of step 1 is the same"),
        (math.nan, math.nan, ", the loss of step 1 is the same"),
        (0.5234, 0.7123, ", the loss of step 1 is 0.712, was 0.523"),
        (math.nan, 0.7123, ", the loss of step 1 is 0.712, was nan"),
        (0.71234567, 0.71234561, ", the loss of step 1 is 0.71234561, was 0.71234567"),
        (None, 0.7, ""),
        (0.7, None, ""),
    ],
)
def test_the_loss_of_the_first_step_is_compared_where_it_is_known(
    was: float | None, now: float | None, said: str
) -> None:
    before, after = answer(DEAD, a__w="unreachable"), answer(a__w="trained")
    before, after = (
        dataclasses.replace(one, steps=(StepReport((), (), loss), StepReport((), (), 9.0)))
        for one, loss in ((before, was), (after, now))
    )
    assert seen(before, after, [DEAD]) == f"1 parameter trains, nothing else changes its verdict{said}"
    again = [from_text(to_text(one)).steps[0].loss for one in (before, after)]
    assert [math.nan if loss is None else loss for loss in again] == pytest.approx(
        [math.nan if loss is None else loss for loss in (was, now)], nan_ok=True
    )


def test_the_loss_of_a_step_is_the_number_that_its_first_backward_begins_at(tmp_path: Path) -> None:
    text = HEAD + NET + START + LOOP + "    open('losses', 'a').write(f'{loss.item()!r} ')\n"
    report = judged(tmp_path, text, to_end=True)
    plain = list(map(float, (tmp_path / "losses").read_text("utf-8").split()))
    assert [step.loss for step in report.steps] == plain[: len(report.steps)] and len(report.steps) > 1


def test_what_was_to_be_frozen_may_be_frozen_then() -> None:
    flag = dataclasses.replace(DEAD, code="FXA307", name="flag-on-module")
    before = answer(flag, a__w="trained", b__w="trained")
    after = answer(a__w="frozen", b__w="trained")
    assert shortfall(before, after, [flag]) == ""
    assert seen(before, after, [flag]) == "1 parameter is frozen, as was meant, nothing else changes its verdict"
    assert shortfall(before, after, [DEAD]) == "`a.w` is frozen"


def test_what_gets_rounding_noise_alone_need_not_train() -> None:
    noise = Finding("FXA505", "rounding-noise", "note", "noise", "", ("a.b",))
    dead = dataclasses.replace(DEAD, parameters=("a.w", "a.b"))
    before = answer(dead, a__w="excluded", a__b="excluded")
    mended = answer(noise, a__w="trained", a__b="unknown")
    assert shortfall(before, mended, [dead]) == ""
    words = "1 parameter trains, 1 gets rounding noise alone, nothing else changes its verdict"
    assert seen(before, mended, [dead]) == words
    assert shortfall(before, answer(a__w="trained", a__b="unknown"), [dead]) == "`a.b` is unknown"
    assert shortfall(before, answer(noise, a__w="unknown", a__b="unknown"), [dead]) == "`a.w` is unknown"


def test_what_was_made_anew_in_each_step_may_be_made_once() -> None:
    names = ("fc.w", "fc.w #2")
    finding = Finding("FXA203", "made-in-forward", "error", "made anew", "", names)
    before = answer(finding, b__w="trained")
    before.parameters.update({n: ParameterReport(n, "unregistered", "") for n in names})  # type: ignore[attr-defined]
    assert shortfall(before, answer(fc__w="trained", b__w="trained"), [finding]) == ""
    assert shortfall(before, answer(b__w="trained"), [finding]) == "`fc.w` is no longer there"


def test_a_leaf_made_on_the_way_may_go_where_the_models_own_train() -> None:
    finding = Finding("FXA107", "rewrapped", "error", "a new leaf", "", ("a.w", "out"))
    before = answer(finding, a__w="unreachable", out="unregistered")
    assert shortfall(before, answer(a__w="trained"), [finding]) == ""
    alone = Finding("FXA205", "unregistered", "error", "in a list", "", ("out",))
    before = answer(alone, a__w="trained", out="unregistered")
    assert shortfall(before, answer(a__w="trained"), [alone]) == "`out` is no longer there"


def test_what_was_unregistered_is_found_under_the_name_that_a_container_gives() -> None:
    finding = Finding("FXA205", "unregistered", "error", "kept in a list", "", ("layers[0].w", "heads['a'].w"))
    before = answer(finding)
    before = dataclasses.replace(
        before,
        parameters={n: ParameterReport(n, "unregistered", "") for n in finding.parameters},
    )
    after = answer(layers__0__w="trained", heads__a__w="trained")
    assert shortfall(before, after, [finding]) == ""
    assert seen(before, after, [finding]) == "2 parameters train, nothing else changes its verdict"
    assert shortfall(before, answer(layers__0__w="trained"), [finding]) != ""


def test_the_first_difference_of_two_runs_is_named() -> None:
    one = answer(a="trained", b="blocked")
    assert first_difference(one, one) == ""
    assert first_difference(one, answer(a="trained", b="trained")) == "`b` was blocked, then trained"
    assert first_difference(one, answer(a="trained")) == "`b` was in the first only"


def test_a_script_whose_second_run_differs_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turns").write_text("")
    # The first run leaves a mark, so that the second does otherwise.
    text = CUT + START + "mark = open('turns').read()\nopen('turns', 'w').write('x')\n"
    text += "if mark:\n    model.b.bias.requires_grad_(False)\n" + LOOP
    patch = best(mended(tmp_path, text, monkeypatch))
    assert patch.state == "untried"
    assert patch.seen == "the script's second run differs from its first: `b.bias` was trained, then frozen"
    assert "-        return self.b(torch.tanh(self.a(x)).detach())" in patch.diff


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "AT_LEAST", 6.0)
    monkeypatch.setattr(trial, "TIMES", 0.0)
    text = (
        CUT
        + START
        + "import time\n"
        + LOOP.replace(
            "    optimizer.step()", "    optimizer.step()\n    while model.a.weight.grad is not None: time.sleep(0.1)"
        )
    )
    patch = best(mended(tmp_path, text, monkeypatch))
    assert patch.state == "failed", patch
    assert {attempt.reason for attempt in patch.attempts} == {"it did not end within 6 seconds"}


def test_a_trial_that_raises_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        CUT
        + START
        + LOOP.replace(
            "    optimizer.step()",
            "    optimizer.step()\n    if model.a.weight.grad is not None: raise ValueError('no gradient, please')",
        )
    )
    patch = best(mended(tmp_path, text, monkeypatch))
    assert patch.state == "failed" and not patch.diff
    assert patch.attempts[0].reason == "the script then ended with ValueError: no gradient, please"


def test_a_trial_that_forks_answers_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import os\nif os.fork() == 0:\n    os._exit(0)\nos.wait()\n" + CUT + START + LOOP
    assert best(mended(tmp_path, text, monkeypatch)).state == "tried"


def test_a_trial_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        CUT
        + START
        + "import helper\n"
        + LOOP
        + "    open('log', 'a').write('x')\n    torch.save(model.state_dict(), 'w.pt')\n"
    )
    (tmp_path / "helper.py").write_text("a = 1\n")
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    assert best(mended(tmp_path, text, monkeypatch)).state == "tried"
    one_run = (tmp_path / "log").read_text()
    assert one_run == "x" * len(one_run) and len(one_run) <= 4
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "helper.py",
        "log",
        "script.py",
        "w.pt",
    ]


def test_a_file_changed_since_the_run_gets_no_patch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = judged(tmp_path, HEAD + CUT + START + LOOP)
    with InForks([str(tmp_path / "script.py")]) as trials:
        found = mend(report, trials, Texts(time.time() - 3600))
    assert best(found).state == "failed"
    assert best(found).seen == "script.py was changed since the run began"
    assert found.texts == {}


def test_an_edit_of_another_file_is_tried_and_shown_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "network.py").write_text("import torch\nfrom torch import nn\n" + CUT)
    patch = best(mended(tmp_path, "from network import Net\n" + START + LOOP, monkeypatch))
    assert patch.state == "tried" and patch.files == ("network.py",)
    assert "+++ b/network.py" in patch.diff


def test_what_does_not_compile_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, place: Place) -> Iterator[str]:
        yield text + "return\n"

    offers = {**fixes.FIXES, "FXA104": (fixes.at_culprit(broken), *fixes.FIXES["FXA104"])}
    monkeypatch.setattr(fixes, "FIXES", offers)
    found = mended(tmp_path, CUT + START + LOOP, monkeypatch)
    patch = best(found)
    assert patch.state == "tried" and found.trials == 2
    assert [attempt.reason for attempt in patch.attempts] == ["it does not compile: 'return' outside function"]


def test_what_one_edit_mends_is_not_tried_again_for_another_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
    model, other = Net(), Net()
    one, two = torch.optim.SGD(model.parameters(), lr=0.1), torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(4):
        one.zero_grad()
        two.zero_grad()
        (F.mse_loss(model(x), y) + F.mse_loss(other(x), y)).backward()
        one.step()
        two.step()
    """
    found = mended(tmp_path, NET + textwrap.dedent(text), monkeypatch)
    patches = {f.code: f.patch for f in found.report.findings if f.patch is not None}
    assert patches.keys() == {"FXA301", "FXA305"}
    assert {patch.state for patch in patches.values()} == {"tried"}
    assert len({patch.diff for patch in patches.values()}) == 1 and found.report.patch is None
    assert found.trials == 2


def test_what_was_made_anew_in_a_place_that_is_kept_may_go() -> None:
    finding = Finding("FXA203", "made-in-forward", "error", "made anew", "", ("a.w",))
    before = answer(finding, a__w="replaced")
    before.parameters["a.w #2"] = ParameterReport("a.w #2", "trained", "")  # type: ignore[index]
    assert shortfall(before, answer(a__w="trained"), [finding]) == ""
    assert shortfall(before, answer(b__w="trained"), [finding]) == "`a.w` is no longer there"


def test_two_mistakes_are_mended_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CUT.replace(
        "nn.Linear(4, 4), nn.Linear(4, 1)", "nn.Linear(4, 4), nn.Linear(4, 1)\n        self.c = [nn.Linear(1, 1)]"
    ).replace("detach())", "detach()) + self.c[0](x[:, :1])")
    found = mended(tmp_path, text + START + LOOP, monkeypatch)
    assert [f.patch.state for f in found.report.findings if f.patch] == ["tried", "tried"]
    assert found.report.patch is not None and found.report.patch.state == "tried"
    assert found.report.patch.seen == (
        "4 parameters train, nothing else changes its verdict, the loss of step 1 is the same"
    )
    (texts,) = found.texts.values()
    assert "ModuleList" in texts[1] and "self.a(x)).detach()" not in texts[1]
