"""What an optimizer does not get is blamed on the line that chooses, lists, filters or copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
"""
LISTED = """
CONFIG = {
    "model": {"width": 8},
    "optimizer": {"lr": 0.1, "train": ["head"]},  # blamed
}


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.encoder = nn.Linear(4, width)
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        return self.head(F.relu(self.encoder(x)))


def make_optimizer(net, lr, train):
    params = [p for part in train for p in getattr(net, part).parameters()]
    return torch.optim.SGD(params, lr=lr)


net = Net(**CONFIG["model"])
opt = make_optimizer(net, **CONFIG["optimizer"])
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
ALL_DROPPED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(F.relu(self.backbone(x)))


def split(net):
    head_ids = set(map(id, net.parameters()))  # blamed
    base = [p for p in net.parameters() if id(p) not in head_ids]
    return base, list(net.head.parameters())


net = Net()
base, head = split(net)
opt = torch.optim.SGD([{"params": base, "lr": 0.01}, {"params": head}], lr=.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
A_COPY = """
import copy
class Runner:
    def __init__(self, net):
        self._net = net

    @property
    def net(self):
        return copy.deepcopy(self._net)  # blamed


runner = Runner(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)))
opt = torch.optim.SGD(runner.net.parameters(), lr=.1)
for _ in range(4):
    loss = runner._net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
THE_AVERAGE = """
import copy
class Trainer:
    def __init__(self, net):
        self.net = net
        self.ema = copy.deepcopy(net)
        self.opt = self.configure(self.ema)  # blamed

    def configure(self, module):
        return torch.optim.SGD(module.parameters(), lr=.1)

    def step(self, x):
        loss = self.net(x).square().mean()
        self.opt.zero_grad(); loss.backward(); self.opt.step()
        with torch.no_grad():
            for e, p in zip(self.ema.parameters(), self.net.parameters()):
                e.lerp_(p, 0.1)


t = Trainer(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)))
for _ in range(4):
    t.step(torch.randn(8, 4))
"""
IN_THE_BASE = """
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 8)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)  # blamed

    def fit(self, x, y, n=5):
        for _ in range(n):
            loss = F.mse_loss(self(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


class Classifier(Base):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(F.relu(self.encoder(x)))


Classifier().fit(torch.randn(8, 4), torch.randn(8, 1))
"""
LEFT_OVER = """
net = nn.ModuleDict({"G": nn.Linear(4, 4), "D": nn.Linear(4, 1)})
rates = {"G": 0.1, "D": 0.2}
for name, part in net.items():
    print(name, sum(p.numel() for p in part.parameters()))
opts = {}
for name, rate in rates.items():
    opts[name] = torch.optim.SGD(part.parameters(), lr=rate)  # blamed
for _ in range(4):
    loss = net["D"](net["G"](torch.randn(8, 4))).square().mean()
    for opt in opts.values():
        opt.zero_grad()
    loss.backward()
    for opt in opts.values():
        opt.step()
"""
WRAPPED = """
class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)


def groups(model):
    slow, rest = [], []
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            rest.append(p)
        elif name.startswith("encoder."):  # blamed
            slow.append(p)
        elif name.startswith("decoder."):
            rest.append(p)
    return [{"params": slow, "lr": 0.01}, {"params": rest}]


net = Wrapper(nn.Sequential())
net.module.add_module("encoder", nn.Linear(4, 4))
net.module.add_module("decoder", nn.Linear(4, 1))
opt = torch.optim.SGD(groups(net), lr=0.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
REMEMBERED = """
def unique(module, seen=set()):  # blamed
    found = []
    for p in module.parameters():
        if id(p) not in seen:
            seen.add(id(p))
            found.append(p)
    return found


net = nn.ModuleDict({"body": nn.Linear(4, 8), "head": nn.Linear(8, 1)})
print(sum(p.numel() for p in unique(net["body"])))
opt = torch.optim.SGD(unique(net), lr=0.1)
for _ in range(4):
    loss = net["head"](torch.tanh(net["body"](torch.randn(8, 4)))).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
PASSED_BY = """
class Net(nn.Module):
    skipped = ("embed.weight",)  # blamed

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.head = nn.Linear(4, 9)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(self.embed(ids))


def make(model):
    skip = set(getattr(model, "skipped", ()))
    chosen = []
    for name, p in model.named_parameters():
        if name in skip:
            continue
        chosen.append(p)
    return torch.optim.SGD(chosen, lr=0.1)


net = Net()
opt = make(net)
for _ in range(4):
    loss = net(torch.randint(0, 9, (8,))).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(LISTED, "FXA301", id="a list of parts"),
        pytest.param(ALL_DROPPED, "FXA301", id="a set of all"),
        pytest.param(A_COPY, "FXA301", id="a property that copies"),
        pytest.param(THE_AVERAGE, "FXA301", id="the average"),
        pytest.param(IN_THE_BASE, "FXA301", id="built by the base class"),
        pytest.param(LEFT_OVER, "FXA301", id="the variable of another loop"),
        pytest.param(WRAPPED, "FXA301", id="names behind a wrapper"),
        pytest.param(REMEMBERED, "FXA301", id="a default that remembers"),
        pytest.param(PASSED_BY, "FXA301", id="a list of names to skip"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_two_lists_of_the_same_parts_blame_none(tmp_path: Path) -> None:
    program = HEAD + "SHOWN = ['head']\n" + LISTED
    finding = judged(tmp_path, program).findings[0]
    assert "getattr(net, part)" in line_of(finding)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param(A_COPY, "Build the optimizer from the model that computes the loss", id="a copy"),
        pytest.param(LEFT_OVER, "Read the variable of this loop", id="another loop"),
        pytest.param(REMEMBERED, "let its default be None", id="a default"),
        pytest.param(PASSED_BY, "Take the name off", id="a list to skip"),
        pytest.param(LISTED, "Add the part to this list", id="a list of parts"),
        pytest.param(ALL_DROPPED, "it leaves out every parameter", id="a set of all"),
    ],
)
def test_the_help_is_about_the_line(tmp_path: Path, program: str, words: str) -> None:
    fix = judged(tmp_path, HEAD + program).findings[0].fix
    assert words in fix
    assert "add_param_group" not in fix
