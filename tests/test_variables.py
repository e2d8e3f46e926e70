"""Names come from the longest-living object of the user's: a variable, an attribute path, a member of a list."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fxaudit
from tests.scripts import codes, judged, verdicts

ROOT = str(Path(fxaudit.__file__).parents[1])
HEAD = """\
import torch
from torch import nn

class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b = nn.Linear(3, 4), nn.Linear(4, 1)
    def forward(s, x): return s.b(s.a(x).relu())
"""
PROGRAMS = {
    "a temperature beside the model": (
        {"weight", "bias", "log_alpha"},
        """
net = nn.Linear(3, 1)
if True:
    log_alpha = torch.zeros(1, requires_grad=True)
    second = torch.optim.Adam([log_alpha], lr=0.1)
first = torch.optim.Adam(net.parameters(), lr=0.1)
for _ in range(4):
    y = net(torch.randn(8, 3))
    first.zero_grad(); y.square().mean().backward(); first.step()
    second.zero_grad(); (-log_alpha.exp() * (y.detach().mean() + 1)).mean().backward(); second.step()
""",
    ),
    "tensors of a function, several on a line, and in a list": (
        {"weight", "bias", "temperature", "latent", "scale", "shift", "weights[0]", "weights[1]"},
        """
def run():
    temperature = torch.zeros(1, requires_grad=True); latent = torch.randn(4, 3).requires_grad_()
    scale, shift = torch.ones(1, requires_grad=True), nn.Parameter(torch.zeros(1))
    weights, net = [torch.zeros(3, requires_grad=True) for _ in range(2)], nn.Linear(3, 1)
    optimizer = torch.optim.SGD([temperature, latent, scale, shift, *weights, *net.parameters()], 0.01)
    for _ in range(4):
        y = net(latent) * temperature.exp() * scale + shift + sum(weights).sum()
        optimizer.zero_grad(); y.square().mean().backward(); optimizer.step()
run()
""",
    ),
    "an agent's own temperature": (
        {"weight", "bias", "log_alpha"},
        """
class Agent:
    def __init__(self):
        self.actor, self.log_alpha = nn.Linear(3, 1), torch.zeros(1).requires_grad_()
        self.optimizer = torch.optim.SGD([*self.actor.parameters(), self.log_alpha], lr=0.1)
    def update(self):
        loss = (self.actor(torch.randn(4, 3)) * self.log_alpha.exp()).square().mean()
        self.optimizer.zero_grad(); loss.backward(); self.optimizer.step()
def main():
    for _ in range(4): AGENT.update()
AGENT = Agent()
main()
""".replace("AGENT", "_agent"),
    ),
    "a student and a teacher of a plain trainer": (
        {f"{who}.{name}" for who in ("student", "teacher") for name in ("a.weight", "a.bias", "b.weight", "b.bias")},
        """
class Trainer:
    def __init__(self, model):
        self.student, self.teacher = model, Net()
        for parameter in self.teacher.parameters(): parameter.requires_grad_(False)
        self.optimizer = torch.optim.SGD(self.student.parameters(), lr=0.1)
    def fit(self):
        for _ in range(4):
            x = torch.randn(8, 3)
            loss = (self.student(x) - self.teacher(x)).square().mean()
            self.optimizer.zero_grad(); loss.backward(); self.optimizer.step()
Trainer(Net()).fit()
""",
    ),
    "a model in a wrapper of every call": (
        {"initial", "rate"},
        """
class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.initial, self.rate = nn.Parameter(torch.ones(3)), nn.Parameter(torch.zeros(1))
    def forward(self, t, x): return x * self.rate.exp()
    def event(self, t, x): return x.sum() - self.rate
class Solver(nn.Module):
    def __init__(self, base_func, event):
        super().__init__()
        self.base_func, self.event = base_func, event
    def forward(self, t, x): return self.base_func(t, x)
def solve(func, x, event):
    solver = Solver(func, lambda t, y: event(t, y))
    for t in range(3): x = x + 0.1 * solver(t, x)
    return x
def main():
    field = Field()
    optimizer = torch.optim.Adam(field.parameters(), lr=0.01)
    for _ in range(4):
        optimizer.zero_grad(); solve(field, field.initial, field.event).square().sum().backward(); optimizer.step()
main()
""",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_parameters_are_called_what_the_user_calls_them(name: str, tmp_path: Path) -> None:
    names, text = PROGRAMS[name]
    report = judged(tmp_path, HEAD + text)
    assert (set(report.parameters), codes(report)) == (names, [])
    assert set(verdicts(report).values()) <= {"trained", "frozen"}


@pytest.mark.slow
def test_an_optimizer_built_among_the_arguments_is_not_called_by_what_the_statement_binds(tmp_path: Path) -> None:
    """Watched or not, the name `answer` is the other call's."""
    script = tmp_path / "asks.py"
    script.write_text(
        HEAD
        + """
import fxaudit
net, x = Net(), torch.randn(4, 3)
answer = fxaudit.audit(net, lambda: net(x).sum(), torch.optim.SGD(net.parameters(), lr=0.1))
with fxaudit.watch():
    seen = fxaudit.audit(net, lambda: net(x).sum(), optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
wrapped = dict(one=torch.optim.SGD(net.parameters(), lr=0.1))
print([one.name for report in (answer, seen) for one in report.optimizers])
""",
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert ended.stdout.strip() == "['SGD', 'SGD']", ended.stderr
