"""What ends training long after the first steps: gradients switched off for good, another model in the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

HEAD = """
import copy

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def train(model, rounds):
    for _ in range(rounds):
        loss = model(torch.randn(8, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SWITCHED_OFF = """
def sample():
    torch.set_grad_enabled(False)  # blamed
    return net(torch.randn(2, 4))


for epoch in range(3):
    train(net, ROUNDS)
    sample()
"""


@pytest.mark.parametrize("rounds", [1, 8, 60], ids=["at once", "while it is recorded", "long afterwards"])
def test_gradients_that_nobody_switches_on_again(tmp_path: Path, rounds: int) -> None:
    report = judged(tmp_path, HEAD + SWITCHED_OFF.replace("ROUNDS", str(rounds)))
    (finding,) = report.findings
    assert finding.code == "FXA109" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Use `with torch.no_grad():`")


def test_the_crash_counts_the_steps_that_were_not_recorded(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SWITCHED_OFF.replace("ROUNDS", "60"))
    assert report.crash is not None and report.crash.step == 61


def test_gradients_that_are_switched_on_again(tmp_path: Path) -> None:
    right = SWITCHED_OFF.replace("    return net(", "    torch.set_grad_enabled(True)\n    return net(")
    report = judged(tmp_path, HEAD + right.replace("ROUNDS", "8"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}
    assert not any("without recording" in note for note in report.notes), "nothing is waited for"


ROLLED_BACK = """
class Run:
    def __init__(self):
        self.net = net
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)


class Rollback:
    def __init__(self):
        self.best = copy.deepcopy(net)

    def epoch_ended(self, run, epoch):
        if epoch == 2:
            TAKEN


run, hooks = Run(), [Rollback()]
optimizer = run.optimizer
for epoch in range(6):
    train(run.net, 4)
    for hook in hooks:
        getattr(hook, "epoch_ended")(run, epoch)
"""


def test_a_copy_in_the_place_of_the_model(tmp_path: Path) -> None:
    taken = ROLLED_BACK.replace("TAKEN", "run.net = copy.deepcopy(self.best)  # blamed")
    (finding,) = judged(tmp_path, HEAD + taken).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# blamed")
    assert "load_state_dict" in finding.fix
    loaded = ROLLED_BACK.replace("TAKEN", "run.net.load_state_dict(self.best.state_dict())")
    report = judged(tmp_path, HEAD + loaded)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


def test_a_copy_that_a_new_optimizer_is_built_for(tmp_path: Path) -> None:
    taken = (
        "run.net = copy.deepcopy(self.best)\n            run.optimizer = torch.optim.SGD(run.net.parameters(), lr=0.1)"
    )
    report = judged(tmp_path, HEAD + ROLLED_BACK.replace("TAKEN", taken))
    assert not any("without recording" in note for note in report.notes), "nothing is waited for"
    assert codes(report) == []


LATER = """
@torch.no_grad()  # blamed
def features(model, x):
    return model[0](x).tanh()


class Distiller:
    def __init__(self, student):
        self.student = student
        self.optimizer = torch.optim.SGD(student.parameters(), lr=0.1)

    def fit(self, rounds):
        for _ in range(rounds):
            x = torch.randn(8, 4)
            wanted = net[2](features(net, x)).detach()
            loss = (self.student[2](features(self.student, x)) - wanted).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def main():
    train(net, 20)
    Distiller(nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))).fit(10)


main()
"""


def test_another_model_that_is_trained_afterwards_by_an_object(tmp_path: Path) -> None:
    before = HEAD.replace("optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n", "").replace(
        "    for _ in range(rounds)",
        "    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n    for _ in range(rounds)",
    )
    (finding,) = judged(tmp_path, before + LATER).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")


ASSIGNED = """
import os
import tempfile


class Learner:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def fit(self, rounds):
        for _ in range(rounds):
            loss = self.model(torch.randn(8, 4)).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def made():
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))


def main():
    first = made()
    Learner(first).fit(20)
    second = made()
    learner = Learner(second)
    second.load_state_dict(first.state_dict(), assign=ASSIGN)  # blamed
    learner.fit(10)


main()
"""


def test_what_happens_between_the_next_optimizer_and_its_first_step(tmp_path: Path) -> None:
    head = HEAD.replace("optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n", "")
    head = head.replace("net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))\n", "")
    (finding,) = judged(tmp_path, head + ASSIGNED.replace("ASSIGN", "True")).findings
    assert finding.code == "FXA204" and line_of(finding).endswith("# blamed")
    assert codes(judged(tmp_path, head + ASSIGNED.replace("ASSIGN", "False"))) == []


AT_THE_END = "\n\ntrain(net, ROUNDS)\ntorch.set_grad_enabled(False)\nprint(net(torch.randn(2, 4)))\n"


def test_a_script_that_dies_of_something_else_while_gradients_are_off(tmp_path: Path) -> None:
    ended = AT_THE_END.replace("ROUNDS", "2") + 'raise FileNotFoundError("results.csv")\n'
    report = judged(tmp_path, HEAD + ended)
    assert report.script_exit.startswith("FileNotFoundError") and codes(report) == []


def test_gradients_switched_off_when_training_is_over_are_not_waited_for(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + AT_THE_END.replace("ROUNDS", "40"))
    assert codes(report) == []
    assert [optimizer.steps for optimizer in report.optimizers] == [3]
    assert not any("without recording" in note for note in report.notes)
