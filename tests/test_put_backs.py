"""Values that come back every few steps: a rollback, a copy in the wrong direction, a backup that is never renewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import copy
import itertools

import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(32, 4), torch.randn(32, 1)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def train(optimizer, steps, of=net):
    for _ in range(steps):
        loss = (of(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
"""
KEEPER = """
class Keeper:
    def __init__(self):
        self.best = BEST  # blamed
        self.state = copy.deepcopy(net.state_dict())

    def update(self, value):
        better = value < self.best
        if better:
            self.best, self.state = value, copy.deepcopy(net.state_dict())
        else:
            net.load_state_dict(self.state)


keeper, optimizer = Keeper(), torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(6):
    keeper.update(train(optimizer, 4))
"""
SIGNED = """
class Keeper:
    def __init__(self, mode=MODE):DEFAULT
        self.sign = 1.0 if mode == "max" else -1.0
        self.best = None

    def better(self, value):
        score = self.sign * value
        if self.best is None or score > self.best + 1e-6:
            self.best, self.state = score, copy.deepcopy(net.state_dict())
            return True
        return False


def evaluate():
    with torch.no_grad():
        return (net(x) - y).square().mean().item()


OPTIONS = {
    "keeper": {"mode": MODE},OPTION
}
keeper, optimizer = KEEPER, torch.optim.SGD(net.parameters(), lr=0.05)
keeper.better(evaluate())
for epoch in range(6):
    train(optimizer, 4)
    is_better = keeper.better(evaluate())
    if not is_better:
        net.load_state_dict(keeper.state)
"""
BY_DEFAULT = SIGNED.replace("DEFAULT", "  # blamed").replace("OPTION}", "}").replace("KEEPER", "Keeper()")
BY_DEFAULT = BY_DEFAULT.replace(",OPTION", ",")
BY_OPTION = SIGNED.replace("mode=MODE):DEFAULT", "mode):").replace(",OPTION", ",  # blamed")
BY_OPTION = BY_OPTION.replace("KEEPER", "[Keeper(**given) for given in OPTIONS.values()][0]")
TARGET = """
target = copy.deepcopy(net).requires_grad_(False)


def sync(into, source):
    with torch.no_grad():
        for a, b in zip(into.parameters(), source.parameters()):
            a.copy_(b)


optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for round in range(6):
    train(optimizer, 5)
    sync(DIRECTION)  # blamed
"""
WARMED_UP = """
WARMUP = 8
target, seen, updates = copy.deepcopy(net).requires_grad_(False), [], 0
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)


def learn():
    global updates
    value = train(optimizer, 1)
    updates += 1
    if updates % 5 == 0:
        net.load_state_dict(target.state_dict())  # blamed
    return value


for number in range(60):
    seen.append(number)
    if len(seen) >= WARMUP:
        learn()
"""
AVERAGE = """
average, backup = copy.deepcopy(net).requires_grad_(False), {}
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for round in range(6):
    train(optimizer, 4)
    with torch.no_grad():
        for a, p in zip(average.parameters(), net.parameters()):
            a.lerp_(p, 0.1)
        if RENEWED:
            backup = {name: p.clone() for name, p in net.named_parameters()}
        net.load_state_dict(average.state_dict())
        print(net(x).mean())
        for name, p in net.named_parameters():
            p.copy_(backup[name])  # blamed
"""
SHARPNESS = """
class Sharpness:
    def __init__(self, parameters):
        self.parameters = list(parameters)
        self.base = torch.optim.SGD(self.parameters, lr=0.05)

    @torch.no_grad()
    def perturb(self):
        self.old = [p.clone() for p in self.parameters]
        for p in self.parameters:
            p.add_(0.05 * p.grad)

    @torch.no_grad()
    def put_back(self):
        for p, old in zip(self.parameters, self.old):
            p.copy_(old)

    def step(self):
        FIRST
        SECOND


optimizer = Sharpness(net.parameters())
for _ in range(6):
    for half in (optimizer.perturb, optimizer.step):
        net.zero_grad()
        (net(x) - y).square().mean().backward()
        half()
"""
FOLDS = """
first = copy.deepcopy(net.state_dict())
for fold in range(4):
    net.load_state_dict(first)
    train(torch.optim.SGD(net.parameters(), lr=0.05), 4)
"""
EPISODES = """
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
first, state = copy.deepcopy(net.state_dict()), copy.deepcopy(optimizer.state_dict())
for sample in range(6):
    train(optimizer, 4)
    print(net(x[sample]))
    net.load_state_dict(first)
    optimizer.load_state_dict(state)
"""
FINDER = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())
for rate in (1e-4, 1e-3):
    optimizer.param_groups[0]["lr"] = rate
    train(optimizer, 2)
net.load_state_dict(first)
optimizer.param_groups[0]["lr"] = 0.05
for epoch in range(6):
    train(optimizer, 4)
"""
GRID = """
first, results = copy.deepcopy(net.state_dict()), {}
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)


def reset():
    net.load_state_dict(first)


for CHOSEN in SETTINGS:
    for group in optimizer.param_groups:
        group["lr"] = 0.01 if CHOSEN else 0.02
    results[CHOSEN] = train(optimizer, 4)
    reset()
"""
LOADED = GRID.replace("    reset()\n", "    net.load_state_dict(first)  # blamed\n")
SHARE = """
SHARE = 0.0  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for round in range(6):
    old = [p.detach().clone() for p in net.parameters()]
    train(optimizer, 4)
    with torch.no_grad():
        for p, before in zip(net.parameters(), old):
            p.copy_(before + SHARE * (p - before))
"""
CHOICE = """
CHOSEN = "first"  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())
for round in range(6):
    train(optimizer, 4)
    state = first if CHOSEN == "first" else copy.deepcopy(net.state_dict())
    net.load_state_dict(state)
"""
CHOICE_INSIDE = """
RESUME = False  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())

def begin():
    state = copy.deepcopy(net.state_dict()) if RESUME else first
    net.load_state_dict(state)

for round in range(6):
    train(optimizer, 4)
    begin()
"""
LATE = """
def put(into, state):
    into.load_state_dict(state)


def keep(net, first, number):
    if number % 60 == 59:
        put(net, first)  # blamed

optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())
for number in range(240):
    train(optimizer, 1)
    keep(net, first, number)
"""
COPIED_BACK = """
class Two:
    def __init__(self, parameters):
        self.parameters = list(parameters)
        self.base = torch.optim.SGD(self.parameters, lr=0.05)

    @torch.no_grad()
    def step(self):
        old = [p.clone() for p in self.parameters]
        self.base.step()
        for p, before in zip(self.parameters, old):
            p.copy_(before)  # blamed

two = Two(net.parameters())
for _ in range(6):
    net.zero_grad()
    (net(x) - y).square().mean().backward()
    two.step()
"""
PULLED = """
class Sync:
    def __init__(self, mode="pull"):  # blamed
        self.mode = mode

    @torch.no_grad()
    def __call__(self, student, teacher):
        pairs = zip(student.parameters(), teacher.parameters())
        for a, b in pairs:
            if self.mode == "pull":
                a.copy_(b)
            else:
                b.copy_(a)

teacher, sync = copy.deepcopy(net).requires_grad_(False), Sync()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for round in range(6):
    train(optimizer, 5)
    sync(net, teacher)
"""
PASSED_OVER = """
PATIENCE = 0  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())
for round in range(6):
    train(optimizer, 4)
    if round < PATIENCE:
        continue
    net.load_state_dict(first)
"""
ROLLED_BACK = """
ROLLBACK = True  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
first = copy.deepcopy(net.state_dict())

def finish():
    if not ROLLBACK:
        return
    net.load_state_dict(first)

for round in range(6):
    train(optimizer, 4)
    finish()
"""
BROKEN = {
    "a reset in each epoch": LOADED.replace("CHOSEN", "epoch").replace("SETTINGS", "range(5)"),
    "a best value that nothing is below": KEEPER.replace("BEST", "0.0"),
    "a loss that is to rise": BY_DEFAULT.replace("MODE", '"max"'),
    "an option by which a loss is to rise": BY_OPTION.replace("MODE", '"max"'),
    "a target copied into the model": TARGET.replace("DIRECTION", "net, target"),
    "a target copied into the model, where a setting decides when to learn": WARMED_UP,
    "a backup that is never renewed": AVERAGE.replace("RENEWED", "not backup"),
    "a step before the perturbation is undone": SHARPNESS.replace("FIRST", "self.base.step()").replace(
        "SECOND", "self.put_back()  # blamed"
    ),
    "a mean in which the new values have no share": SHARE,
    "a choice between two states": CHOICE,
    "a choice between two states in a function": CHOICE_INSIDE,
    "a state that is handed to what loads it, long after enough was seen": LATE,
    "a step of its own that restores": COPIED_BACK,
    "a direction by default": PULLED,
    "a patience that no round is below": PASSED_OVER,
    "a rollback that is switched on": ROLLED_BACK,
}
HEALTHY = {
    "a best value that falls": KEEPER.replace("BEST", "float('inf')"),
    "a loss that is to fall": BY_DEFAULT.replace("MODE", '"min"'),
    "a target that follows": TARGET.replace("DIRECTION", "target, net"),
    "a backup of each round": AVERAGE.replace("RENEWED", "True"),
    "a step after the perturbation is undone": SHARPNESS.replace("FIRST", "self.put_back()").replace(
        "SECOND", "self.base.step()"
    ),
    "folds": FOLDS,
    "episodes": EPISODES,
    "a search for a rate": FINDER,
    "a grid": GRID.replace("CHOSEN", "decay").replace("SETTINGS", "(0.0, 0.01, 0.03, 0.1)"),
    "seeds": GRID.replace("CHOSEN", "seed").replace("SETTINGS", "range(5)"),
    "a choice that takes what was trained": CHOICE.replace('CHOSEN = "first"', 'CHOSEN = "last"'),
    "a mean in which the new values have a share": SHARE.replace("SHARE = 0.0", "SHARE = 0.5"),
    "a direction away from the model": PULLED.replace('mode="pull"', 'mode="push"'),
    "a product": GRID.replace("CHOSEN", "a, b")
    .replace("SETTINGS", "itertools.product((1, 2), (3, 4))")
    .replace("results[a, b] =", "_ =")
    .replace("if a, b else", "if a else"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_values_that_come_back_are_replaced(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + BROKEN[name])
    assert {verdict for parameter, verdict in verdicts(report).items() if "." in parameter} <= {"replaced", "frozen"}
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [finding.code for finding in loud] == ["FXA408"]
    assert line_of(loud[0]).endswith("# blamed"), str(loud[0].culprit)


@pytest.mark.parametrize("name", HEALTHY)
def test_values_that_are_meant_to_come_back_are_no_finding(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + HEALTHY[name])
    assert "FXA408" not in codes(report)
    trained = {
        name: verdict for name, verdict in verdicts(report).items() if not name.startswith(("target", "average"))
    }
    assert set(trained.values()) == {"trained"}
