"""A program that trains more than once: folds, fine-tuning after pre-training, a grid; each fit is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.fits import may_fit_again
from fxaudit.program.ran import Ran
from fxaudit.report import Report
from tests.judged import run

pytestmark = pytest.mark.usefixtures("first_step_paid")

START = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, broken=False):
        super().__init__()
        self.enc, self.out = nn.Linear(6, 8), nn.Linear(8, 2)
        self.broken = broken

    def forward(self, x):
        h = self.enc(x).relu()
        if self.broken:
            h = h.detach()  # guilty
        return self.out(h)


def fit(model, steps=20):
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 6)).square().mean().backward()
        optimizer.step()
    return model

torch.manual_seed(0)
"""

BROKEN = {
    "a second call": "first = fit(Net())\nsecond = fit(Net(broken=True))\n",
    "folds": "for fold in range(4):\n    net = fit(Net(broken=fold == 2))\n",
    "a comprehension": "nets = [fit(Net(broken=fold == 1)) for fold in range(3)]\n",
    "in main": "def main():\n    fit(Net())\n    fit(Net(broken=True))\n\nmain()\n",
    "one model in two phases": """
model = fit(Net())
model.broken = True
model.enc.reset_parameters()
fit(model)
""",
    "a second loop": """
first = Net()
optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
for _ in range(12):
    optimizer.zero_grad(); first(torch.randn(8, 6)).square().mean().backward(); optimizer.step()
second = Net(broken=True)
tuner = torch.optim.Adam(second.parameters(), lr=0.1)
for _ in range(12):
    tuner.zero_grad(); second(torch.randn(8, 6)).square().mean().backward(); tuner.step()
""",
    "a trainer made twice": """
class Trainer:
    def __init__(self, model):
        self.model, self.optimizer = model, torch.optim.SGD(model.parameters(), lr=0.1)
    def fit(self):
        for _ in range(12):
            self.optimizer.zero_grad(); self.model(torch.randn(8, 6)).square().mean().backward(); self.optimizer.step()

Trainer(Net()).fit()
Trainer(Net(broken=True)).fit()
""",
}


def reported(body: str, folder: Path) -> Report:
    path = folder / "train.py"
    path.write_text(START + body, encoding="utf-8")
    return run(path)


@pytest.mark.parametrize("how", [how for how in BROKEN if how != "one model in two phases"])
def test_the_defect_of_a_later_fit_is_found_at_its_line(how: str, tmp_path: Path) -> None:
    report = reported(BROKEN[how], tmp_path)
    loud = [finding for finding in report.findings if finding.level == "error"]
    assert [finding.code for finding in loud] == ["FXA104"]
    assert loud[0].culprit is not None
    assert loud[0].culprit.code.endswith("# guilty")
    assert {p.verdict for p in report if p.name.endswith("enc.weight")} >= {"unreachable"}


def test_many_healthy_folds_end_after_the_first_few_and_the_report_says_so(tmp_path: Path) -> None:
    report = reported("for fold in range(40):\n    net = fit(Net(), steps=8)\n    print(fold)\n", tmp_path)
    assert set(report.verdicts()) == {"trained"}
    assert report.findings == ()
    assert any("The first 5 times" in note for note in report.notes)


def test_a_program_that_fits_once_is_not_waited_for(tmp_path: Path) -> None:
    report = reported("fit(Net(), steps=200)\n", tmp_path)
    assert not any("without recording" in note for note in report.notes)


SOURCE = """
def build(net, kind):
    if kind == "sgd":
        return SGD(net)
    elif kind == "adam":
        return Adam(net)

def fit(net):
    optimizer = build(net, "sgd")

def unused(net):
    fit(net)
"""


def test_the_other_branch_of_a_choice_is_no_further_fit(tmp_path: Path) -> None:
    path = tmp_path / "build.py"
    path.write_text(SOURCE, encoding="utf-8")
    here = str(path)
    ran = Ran({here: {4, 9}})
    assert not may_fit_again([here], [(here, 4, "build", -1)], ran, "SGD")
    assert may_fit_again([here], [(here, 9, "fit", -1)], ran, "SGD"), "`fit` is called by another function, too"
    all_ran = Ran({here: {4, 9, 12}})
    assert not may_fit_again([here], [(here, 9, "fit", -1)], all_ran, "SGD"), "that call has run already"


def test_what_a_comprehension_builds_is_built_often_and_what_stands_beside_it_is_not(tmp_path: Path) -> None:
    """From Python 3.12 on it has no frame of its own."""
    path = tmp_path / "build.py"
    path.write_text("one = SGD([p for p in ps])\nmany = {\n    n: SGD(p) for n, p in ps\n}\n", encoding="utf-8")
    here, ran = str(path), Ran({str(path): {1, 2, 3}})
    assert not may_fit_again([here], [(here, 1, "<module>", 6)], ran, "none")
    assert may_fit_again([here], [(here, 3, "<module>", 7)], ran, "none")
    assert may_fit_again([here], [(here, 3, "<dictcomp>", -1)], ran, "none")


# -- what is built and made between two fits ---------------------------------------------------------------------------

PHASES = """
class Hints(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Linear(2, 2)

    def forward(self, out, wanted):
        return (self.scale(out) - wanted).square().mean()


def train(step, *modules, optimizer):
    for _ in range(12):
        optimizer.zero_grad()
        step().backward()
        optimizer.step()


OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def build(name, *modules):
    parameters = (p for module in modules for p in module.parameters())
    return CHOSEN([p for p in parameters if p.requires_grad], lr=0.01)


teacher = Net()
train(lambda: teacher(torch.randn(8, 6)).square().mean(), optimizer=torch.optim.Adam(teacher.parameters(), lr=0.01))
teacher.requires_grad_(False)
student, hints = Net(), Hints()
optimizer = build("sgd", GIVEN)  # guilty


def step():
    x = torch.randn(8, 6)
    return hints(student(x), teacher(x))


train(step, optimizer=optimizer)
"""
CHOSEN = {
    "by a table": "OPTIMIZERS[name]",
    "by a name": "getattr(torch.optim, {'sgd': 'SGD'}[name])",
}


@pytest.mark.parametrize("chosen", CHOSEN)
def test_an_optimizer_whose_class_is_chosen_later_is_waited_for(chosen: str, tmp_path: Path) -> None:
    report = reported(PHASES.replace("CHOSEN", CHOSEN[chosen]).replace("GIVEN", "student"), tmp_path)
    assert report["hints.scale.weight"].verdict == "excluded"
    (finding,) = (finding for finding in report.findings if finding.level == "error")
    assert finding.culprit is not None and finding.culprit.code.endswith("# guilty")
    assert "`SGD` does not hold" in finding.message


@pytest.mark.parametrize("chosen", CHOSEN)
def test_where_the_later_optimizer_gets_all_of_it_nothing_is_missed(chosen: str, tmp_path: Path) -> None:
    report = reported(PHASES.replace("CHOSEN", CHOSEN[chosen]).replace("GIVEN", "student, hints"), tmp_path)
    assert report["hints.scale.weight"].verdict == "trained"
    assert not [finding for finding in report.findings if finding.level == "error"]


FROZEN_LATER = """
fit(Net())


class Tuned(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body, self.head = body, nn.Linear(2, 1)
        for parameter in self.body.parameters():
            parameter.requires_grad = False  # froze

    def forward(self, x):
        return self.head(self.body(x))


tuned = Tuned(Net())
optimizer = torch.optim.Adam([p for p in tuned.parameters() if p.requires_grad], 1e-2)
for _ in range(12):
    optimizer.zero_grad()
    tuned(torch.randn(8, 6)).square().mean().backward()
    optimizer.step()
"""


def test_what_becomes_of_a_later_model_before_its_optimizer_is_built_is_recorded(tmp_path: Path) -> None:
    parameter = reported(FROZEN_LATER, tmp_path)["tuned.body.enc.weight"]
    assert parameter.verdict == "frozen"
    assert parameter.frozen_at is not None and parameter.frozen_at.code.endswith("# froze")
    assert [event.kind for event in parameter.life][:2] == ["made", "frozen"]


ROUNDS = """
class Server:
    def __init__(self):
        self.net = Net()

    def round(self):
        states = []
        for _ in range(6):
            client = Net()
            client.load_state_dict(self.net.state_dict())
            states.append(fit(client, steps=4).state_dict())
        CALL

    def average(self, states):
        mean = self.net.state_dict()
        for key in mean:
            mean[key] = sum(state[key] for state in states) / len(states)  # written
        LOADED


server = Server()
for _ in range(3):
    server.round()
"""


@pytest.mark.parametrize(
    ("call", "loaded", "is_told"),
    [
        ("self.average(states)", "return None", True),
        ("self.average(states)", "self.net.load_state_dict(mean)", False),
        ("if len(states) > 9:\n            self.average(states)", "return None", False),
        ("return states", "return None", False),
    ],
    ids=["called behind the clients", "loaded", "called under a test", "never called"],
)
def test_a_write_that_loads_nothing_is_told_though_the_recording_rests_there(
    call: str, loaded: str, is_told: bool, tmp_path: Path
) -> None:
    report = reported(ROUNDS.replace("CALL", call).replace("LOADED", loaded), tmp_path)
    told = [finding for finding in report.findings if finding.code == "FXA308"]
    assert bool(told) is is_told
    assert all(finding.culprit is not None and finding.culprit.code.endswith("# written") for finding in told)


MADE_IN_THE_LOOP = """
first = Net()
optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
for _ in range(60):
    probe = nn.Parameter(torch.zeros(6))
    optimizer.zero_grad()
    first(torch.randn(8, 6) + probe.detach()).square().mean().backward()
    optimizer.step()
fit(Net(broken=True))
"""


def test_parameters_that_the_loop_makes_end_no_waiting_for_the_next_fit(tmp_path: Path) -> None:
    report = reported(MADE_IN_THE_LOOP, tmp_path)
    (finding,) = (finding for finding in report.findings if finding.level == "error")
    assert finding.culprit is not None and finding.culprit.code.endswith("# guilty")
    assert not any("times that something began to train" in note for note in report.notes)


FOLDS = """
for fold in range(3):
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(12):
        (net(torch.randn(8, 6)).square().mean() / 2).backward()
        if step % 2:
            optimizer.step()
            CLEARED
"""


@pytest.mark.parametrize(("cleared", "is_told"), [("optimizer.zero_grad()", False), ("pass", True)])
def test_gradients_that_are_cleared_behind_a_step_while_the_recording_rests(
    cleared: str, is_told: bool, tmp_path: Path
) -> None:
    body = FOLDS.replace("net = Net()", "net.load_state_dict(first)").replace("CLEARED", cleared)
    report = reported(f"net = Net()\nfirst = {{k: v.clone() for k, v in net.state_dict().items()}}\n{body}", tmp_path)
    assert ("FXA404" in [finding.code for finding in report.findings]) is is_told
