"""The module, the decorator, the phase or the call that is unlike the others is blamed, and not what all share."""

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
INSTANCE = """
class Standardise(nn.Module):
    def __init__(self, channels, dims=(2, 3)):
        super().__init__()
        self.dims = dims
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x):
        x = x - x.mean(self.dims, keepdim=True)
        return x * torch.rsqrt(x.pow(2).mean(self.dims, keepdim=True) + 1e-4) * self.gain


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, bias=False)
        self.norm = Standardise(4)
        self.down = nn.Conv2d(4, 4, 1, bias=False)
        self.squeezed = Standardise(4)  # blamed
        self.up = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        x = self.norm(self.conv(x))
        s = self.squeezed(self.down(x.mean((2, 3), keepdim=True)))
        return (x * torch.sigmoid(self.up(s))).mean((1, 2, 3))


net = Net()


def compute():
    return (net(torch.randn(4, 1, 8, 8)) - 1).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
GATES = """
from dataclasses import dataclass


@dataclass
class Options:
    width: int = 4
    gate_start: float = 20.0  # blamed


class Gate(nn.Module):
    def __init__(self, width, start):
        super().__init__()
        self.score = nn.Parameter(torch.full((width,), float(start)))

    def forward(self, x):
        return x * torch.sigmoid(self.score)


options = Options()
net = nn.Sequential(nn.Linear(4, options.width), Gate(options.width, options.gate_start), nn.Linear(options.width, 1))


def compute():
    return net(torch.randn(8, 4)).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
STORED_PAST = """
class Noted:
    def __setattr__(self, key, value):
        if key.startswith("_") or key == "training":
            super().__setattr__(key, value)
        else:
            self.__dict__[key] = value  # blamed


class Filter(Noted, nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Linear(4, 4)
        self.gain = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.gain * self.conv(x)


net = nn.ModuleDict({"filter": Filter(), "head": nn.Linear(4, 1)})


def compute():
    return net["head"](net["filter"](torch.randn(8, 4))).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
CAUGHT = """
def optional(fn, *args):
    try:
        return fn(*args)
    except RuntimeError:
        return 0.0


net = nn.ModuleDict({"tags": nn.Linear(4, 3), "scene": nn.Linear(4, 2)})
bce = nn.BCEWithLogitsLoss()


def compute():
    x, tags = torch.randn(8, 4), torch.randint(0, 2, (8, 3))
    return net["scene"](x).square().mean() + optional(bce, net["tags"](x), tags)  # blamed

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
REBOUND = """
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 8, batch_first=True)

    def forward(self, x):
        out, state = self.rnn(x)
        return out, state


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.GRU(4, 8, batch_first=True)

    def forward(self, x, y):
        _, state = self.encoder(x)
        state = torch.zeros(1, len(x), 8)  # blamed
        return self.decoder(y, state)[0]


net = Net()


def compute():
    return net(torch.randn(2, 5, 4), torch.randn(2, 3, 4)).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
DECORATED = """
import functools
def inference(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        with torch.no_grad():
            return fn(*args, **kwargs)
    return wrapper


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1)

    @inference  # blamed
    def encode(self, x):
        return F.relu(self.body(x))

    def forward(self, x):
        return self.head(self.encode(x))


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
CLAMPED = """
class Clip(nn.Module):
    def __init__(self, init=5.0):  # blamed
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 8)
        self.logit_scale = nn.Parameter(torch.tensor(init))

    def forward(self, x, y):
        scale = self.logit_scale.clamp(max=4.6052).exp()
        return scale * F.normalize(self.a(x), dim=-1) @ F.normalize(self.b(y), dim=-1).T


net = Clip()
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(4):
    logits = net(torch.randn(8, 4), torch.randn(8, 4))
    loss = F.cross_entropy(logits, torch.arange(8))
    opt.zero_grad(); loss.backward(); opt.step()
"""
APART = """
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.act, self.b, self.fc = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(self.b(self.act(self.a(x))))


class Net(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.features = nn.Sequential(*list(base.children())[:-2])  # blamed
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.features(x))


net = Net(Base())
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
ALWAYS = """
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 8)

    def forward(self, x):
        return F.relu(self.f(x))


class Head(nn.Module):
    def __init__(self, detach):
        super().__init__()
        self.detach = detach
        self.f = nn.Linear(8, 1)

    def forward(self, h):
        return self.f(h.detach() if self.detach else h)


class Net(nn.Module):
    def __init__(self, heads=3):
        super().__init__()
        self.enc = Encoder()
        self.heads = nn.ModuleList(Head(i >= 0) for i in range(heads))  # blamed

    def forward(self, x):
        h = self.enc(x)
        return sum(head(h) for head in self.heads)


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
ALONE = """
net = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})


def compute():
    x = torch.randn(8, 4)
    first = net["a"](x).square().mean()
    second = net["b"](x).square().mean()
    loss = 0.5 * first
    + 0.5 * second  # blamed
    return loss

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
ROUNDED = """
class Rounded(nn.Module):
    def forward(self, x):
        return x + (torch.round(x) - x)  # blamed


net = nn.Sequential(nn.Linear(4, 8), Rounded(), nn.Linear(8, 8), Rounded(), nn.Linear(8, 1))


def compute():
    return net(torch.randn(8, 4)).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
PHASE = """
PHASES = ["Train", "Val"]  # blamed
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=.1)
for epoch in range(3):
    for phase in PHASES:
        net.train(phase == "train")
        with torch.set_grad_enabled(phase == "train"):
            loss = net(torch.randn(8, 4)).square().mean()
        if phase == "train":
            opt.zero_grad(); loss.backward(); opt.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(INSTANCE, "FXA501", id="one module of a class"),
        pytest.param(GATES, "FXA501", id="the number it begins with"),
        pytest.param(STORED_PAST, "FXA205", id="stored past registration"),
        pytest.param(CAUGHT, "FXA103", id="an error that is caught"),
        pytest.param(REBOUND, "FXA103", id="a part of an answer given another value"),
        pytest.param(DECORATED, "FXA105", id="a decorator"),
        pytest.param(CLAMPED, "FXA501", id="a parameter that begins beyond a bound"),
        pytest.param(APART, "FXA101", id="parts taken out of a whole"),
        pytest.param(ALWAYS, "FXA104", id="a flag that is always true"),
        pytest.param(ALONE, "FXA103", id="a line of its own"),
        pytest.param(ROUNDED, "FXA501", id="all modules of a class"),
        pytest.param(PHASE, "FXA402", id="a text nearly asked for"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_a_call_that_does_not_raise_has_no_finding(tmp_path: Path) -> None:
    assert judged(tmp_path, HEAD + CAUGHT.replace("(8, 3))", "(8, 3)).float()")).findings == ()


def test_what_the_call_said_is_told(tmp_path: Path) -> None:
    finding = judged(tmp_path, HEAD + CAUGHT).findings[0]
    assert any("caught here: result type Float can't be cast" in related.role for related in finding.related)


def test_the_handler_that_ran_is_told(tmp_path: Path) -> None:
    two = CAUGHT.replace(
        "    except RuntimeError:", "    except KeyError:\n        return -1.0\n    except RuntimeError:"
    )
    finding = judged(tmp_path, HEAD + two).findings[0]
    handlers = [related.source.code for related in finding.related if "caught here" in related.role]
    assert handlers == ["except RuntimeError:"]


def test_an_error_that_goes_on_is_not_said_to_be_caught(tmp_path: Path) -> None:
    uncaught = CAUGHT.replace("    except RuntimeError:", "    except KeyError:")
    report = judged(tmp_path, HEAD + uncaught)
    assert not any("is caught" in finding.message for finding in report.findings)


def test_the_help_is_about_the_parts(tmp_path: Path) -> None:
    finding = judged(tmp_path, HEAD + APART).findings[0]
    assert finding.fix == "Take the missing parts, too, or do not register the whole beside them."
