"""Shares that leave nothing, rates that are 0, and means that keep the old values: the setting is blamed."""

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
COMPLEMENT = """
CONFIG = {"lr": 0.1, "alpha": 1.0}  # blamed


class Mix:
    def __init__(self, alpha):
        self.alpha = alpha

    def __call__(self, a, b):
        return self.alpha * a + (1 - self.alpha) * b


net = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
mix = Mix(CONFIG["alpha"])


def compute():
    x = torch.randn(8, 4)
    return mix(net["a"](x).square().mean(), net["b"](x).square().mean())

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
RAMP = """
class Ramp:
    def __init__(self, start, end, steps):
        self.start, self.end, self.steps = start, end, steps

    def __call__(self, step):
        return self.start + (self.end - self.start) * min(1.0, step / self.steps)


WEIGHTS = {"task": Ramp(1.0, 1.0, 10), "aux": Ramp(0.0, 0.0, 10)}  # blamed
net = nn.ModuleDict({"body": nn.Linear(4, 8), "task": nn.Linear(8, 1), "aux": nn.Linear(8, 1)})
opt = torch.optim.SGD(net.parameters(), lr=.1)
for step in range(20):
    h = F.relu(net["body"](torch.randn(8, 4)))
    losses = {k: net[k](h).square().mean() for k in ("task", "aux")}
    loss = sum(WEIGHTS[k](step) * v for k, v in losses.items())
    opt.zero_grad(); loss.backward(); opt.step()
"""
DECAY = """
import copy
class Ema:
    def __init__(self, net, decay=0.9):
        self.decay = decay
        self.shadow = {k: v.detach().clone() for k, v in net.named_parameters()}

    def update(self, net):
        with torch.no_grad():
            for k, v in net.named_parameters():
                self.shadow[k] = self.decay * self.shadow[k] + (1 - self.decay) * v

    def apply_to(self, net):
        with torch.no_grad():
            for k, v in net.named_parameters():
                v.copy_(self.shadow[k])


net = nn.Linear(4, 1)
ema = Ema(net, decay=1.0)  # blamed
opt = torch.optim.SGD(net.parameters(), lr=.1)
for epoch in range(4):
    for _ in range(2):
        loss = net(torch.randn(8, 4)).square().mean()
        opt.zero_grad(); loss.backward(); opt.step()
        ema.update(net)
    ema.apply_to(net)
"""
FACTORS = """
LR_MULT = {"encoder": 0, "decoder": 1.0}  # blamed


def groups(net, lr):
    out = []
    for name, part in net.named_children():
        out.append({"params": part.parameters(), "lr": lr * LR_MULT.get(name, 1.0)})
    return out


net = nn.ModuleDict({"encoder": nn.Linear(4, 8), "decoder": nn.Linear(8, 1)})
opt = torch.optim.Adam(groups(net, 1e-2))
for _ in range(4):
    loss = net["decoder"](F.relu(net["encoder"](torch.randn(8, 4)))).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
LOADED = """
import io
def pretrain():
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=.1)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.0, total_iters=4)
    for _ in range(4):
        loss = net(torch.randn(8, 4)).square().mean()
        opt.zero_grad(); loss.backward(); opt.step(); sched.step()
    return {"net": net.state_dict(), "opt": opt.state_dict()}


ckpt = pretrain()
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=.05)
net.load_state_dict(ckpt["net"])
opt.load_state_dict(ckpt["opt"])  # blamed
for _ in range(5):
    loss = (net(torch.randn(8, 4)) - 1).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
THRESHOLD = """
class Options:
    start: int = 500  # blamed
    weight: float = 0.1


def adopted(weight, step, threshold=0, value=0.0):
    return value if step < threshold else weight


net = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
options, step = Options(), 0


def compute():
    global step
    step += 1
    x = torch.randn(8, 4)
    factor = adopted(options.weight, step, threshold=options.start)
    return net["a"](x).square().mean() + factor * net["b"](x).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
LAYERWISE = """
from types import SimpleNamespace
cfg = SimpleNamespace(lr=1e-2, layer_decay=0.0, depth=3)  # blamed


def layer_lr(i):
    return cfg.lr * cfg.layer_decay ** (cfg.depth - 1 - i)


net = nn.ModuleList([nn.Linear(4, 4) for _ in range(cfg.depth)])
opt = torch.optim.AdamW([{"params": layer.parameters(), "lr": layer_lr(i)} for i, layer in enumerate(net)])
for _ in range(4):
    x = torch.randn(8, 4)
    for layer in net:
        x = torch.tanh(layer(x))
    loss = x.square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
DECAYED = """
def adjust(opt, epoch, gamma):
    for g in opt.param_groups:
        g["lr"] *= gamma ** epoch


GAMMA = 0.0  # blamed
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=.1)
for epoch in range(1, 5):
    adjust(opt, epoch, GAMMA)
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
REVERSED = """
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.scale * grad, None


CFG = {"grl": 0.0, "lr": 0.1}  # blamed
net = nn.ModuleDict({"enc": nn.Linear(4, 8), "label": nn.Linear(4, 1), "dom": nn.Linear(8, 1)})
opt = torch.optim.SGD(net.parameters(), lr=CFG["lr"])
for _ in range(4):
    x = torch.randn(8, 4)
    h = net["enc"](x)
    loss = net["dom"](Reverse.apply(h, CFG["grl"])).square().mean() + net["label"](x).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
LOOKAHEAD = """
class Lookahead:
    def __init__(self, opt, k=2, alpha=0.0):  # blamed
        self.opt, self.k, self.alpha, self.n = opt, k, alpha, 0
        self.slow = [p.detach().clone() for g in opt.param_groups for p in g["params"]]

    def zero_grad(self):
        self.opt.zero_grad()

    @torch.no_grad()
    def step(self):
        self.opt.step()
        self.n += 1
        if self.n % self.k == 0:
            fast = [p for g in self.opt.param_groups for p in g["params"]]
            for s, p in zip(self.slow, fast):
                s.add_(self.alpha * (p - s))
                p.copy_(s)


net = nn.Linear(4, 1)
opt = Lookahead(torch.optim.SGD(net.parameters(), lr=.1))
for _ in range(12):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(COMPLEMENT, "FXA501", id="1 - 1"),
        pytest.param(RAMP, "FXA501", id="a ramp from 0 to 0"),
        pytest.param(DECAY, "FXA408", id="a mean without the new values"),
        pytest.param(FACTORS, "FXA304", id="a table of factors"),
        pytest.param(LOADED, "FXA304", id="a state saved at the end"),
        pytest.param(THRESHOLD, "FXA501", id="a threshold that is never reached"),
        pytest.param(LAYERWISE, "FXA304", id="a decay of 0"),
        pytest.param(DECAYED, "FXA304", id="a rate multiplied by 0"),
        pytest.param(REVERSED, "FXA501", id="a backward that multiplies by 0"),
        pytest.param(LOOKAHEAD, "FXA408", id="slow weights that never move"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_a_mean_that_takes_up_the_new_values_has_no_finding(tmp_path: Path) -> None:
    assert judged(tmp_path, HEAD + DECAY.replace("decay=1.0", "decay=0.5")).findings == ()


def test_a_state_that_is_loaded_with_its_rate_has_no_finding(tmp_path: Path) -> None:
    program = LOADED.replace("opt, 1.0, 0.0, total_iters", "opt, 1.0, 0.1, total_iters")
    assert judged(tmp_path, HEAD + program).findings == ()


STAIRS = """
class Warmup:
    def __init__(self, top, begin, span):
        self.top, self.begin, self.span = top, begin, span

    def at(self, round_):
        share = (round_ - self.begin) // self.span  # whole
        return self.top * max(0, min(share, 1))


weight = Warmup(0.5, 2, 30)  # span
net = nn.ModuleDict({"body": nn.Linear(4, 8), "task": nn.Linear(8, 1), "aux": nn.Linear(8, 1)})
opt = torch.optim.SGD(net.parameters(), lr=.1)
for round_ in range(9):
    for _ in range(BATCHES):
        h = F.relu(net["body"](torch.randn(8, 4)))
        loss = net["task"](h).square().mean() + weight.at(round_) * net["aux"](h).square().mean()
        opt.zero_grad(); loss.backward(); opt.step()
"""


@pytest.mark.parametrize("batches", [2, 12])  # of twelve, all that is recorded comes before the share begins
def test_a_share_of_whole_numbers_between_two_bounds_is_blamed(tmp_path: Path, batches: int) -> None:
    (finding,) = [
        f for f in judged(tmp_path, HEAD + STAIRS.replace("BATCHES", str(batches))).findings if f.level == "error"
    ]
    assert line_of(finding) == "share = (round_ - self.begin) // self.span  # whole"


def test_a_share_that_is_not_rounded_is_not_blamed_for_what_begins_later(tmp_path: Path) -> None:
    program = HEAD + STAIRS.replace("BATCHES", "2").replace("//", "/").replace(
        "Warmup(0.5, 2, 30)", "Warmup(0.5, 20, 30)"
    )
    (finding,) = [f for f in judged(tmp_path, program).findings if f.level in ("error", "warning")]
    assert "# whole" not in line_of(finding)
    healthy = HEAD + STAIRS.replace("BATCHES", "2").replace("//", "/")
    assert [f for f in judged(tmp_path, healthy).findings if f.level in ("error", "warning")] == []
