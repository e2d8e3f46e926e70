"""What a function does as it is asked to, each time or for one of several: the line to edit is the one that asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""
LOSS = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""

BLOCKS = """
class Block(nn.Module):
    def __init__(self, gated=False):
        super().__init__()
        self.gated, self.gate, self.body = gated, nn.Linear(4, 4), nn.Linear(4, 4)

    def scaled(self, x):
        return x * torch.sigmoid(self.gate(x))

    def forward(self, x):
        CALL
        return x + h


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block(gated=True)
        self.second = SECOND  # blamed
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.second(self.first(x)))


net = Net()
"""


@pytest.mark.parametrize("call", ["h = self.scaled(self.body(x)) if self.gated else self.body(x)", "BRANCH"])
@pytest.mark.parametrize(("second", "is_left_out"), [("Block()", True), ("Block(gated=True)", False)])
def test_one_block_that_is_made_without_what_the_others_have(
    call: str, second: str, is_left_out: bool, tmp_path: Path
) -> None:
    branch = "h = self.body(x)\n        if self.gated:\n            h = self.scaled(h)"
    program = BLOCKS.replace("CALL", call.replace("BRANCH", branch)).replace("SECOND", second)
    report = judged(tmp_path, HEAD + program + LOSS + LOOP)
    assert codes(report) == (["FXA101"] if is_left_out else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)
    assert all("in this one `self.gated` is False" in finding.message for finding in report.findings)


ZEROS = """
def zero_module(module):
    for p in module.parameters():
        nn.init.zeros_(p)
    return module


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Parameter(torch.full((4,), BEGINS))
        self.body, self.proj = nn.Linear(4, 4), zero_module(nn.Linear(4, 4))  # blamed

    def forward(self, x):
        return x + self.gate * self.proj(torch.tanh(self.body(x)))


net = Gated()
"""


@pytest.mark.parametrize(("begins", "verdict"), [("0.0", "blocked"), ("0.5", "trained")])
def test_a_helper_that_fills_with_zeros_what_it_is_given(begins: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + ZEROS.replace("BEGINS", begins) + LOSS + LOOP)
    assert set(verdicts(report).values()) == {verdict}
    assert codes(report) == (["FXA501"] if verdict == "blocked" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


NORMALISED = """
net, critic = nn.Linear(4, 2), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*net.parameters(), *critic.parameters()], lr=0.1)


def normalised(advantage):
    mean = advantage.mean(DIMENSION, keepdim=True)  # blamed
    return (advantage - mean) / (advantage.std(0, keepdim=True) + 1e-6)


def compute():
    x, returns = torch.randn(8, 4), torch.randn(8, 1)
    value = critic(x)
    log_p = F.log_softmax(net(x), -1)[:, :1]
    return -(log_p * normalised((returns - value).detach())).mean() + (returns - value).square().mean()
"""


@pytest.mark.parametrize(("dimension", "is_nothing"), [("-1", True), ("0", False)])
def test_a_mean_along_a_dimension_of_one_leaves_nothing(dimension: str, is_nothing: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + NORMALISED.replace("DIMENSION", dimension) + LOOP)
    assert codes(report) == (["FXA501"] if is_nothing else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)
    assert all("along a dimension of size 1" in finding.message for finding in report.findings)


ROUNDED = """
def in_range(v, low, high):
    return (v >= low) & (v <= high)


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, low, high):
        q = torch.round(w * 4)
        ctx.save_for_backward(in_range(q, BOUNDS))  # blamed
        return torch.clamp(q, low, high) / 4

    @staticmethod
    def backward(ctx, grad):
        (mask,) = ctx.saved_tensors
        return grad * mask, None, None


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, 4))

    def forward(self, x):
        return F.linear(x, Rounded.apply(self.weight, -8, 7))


net = Net()
"""


@pytest.mark.parametrize(("bounds", "verdict"), [("high, low", "blocked"), ("low, high", "trained")])
def test_a_mask_of_a_custom_function_that_lets_nothing_pass(bounds: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + ROUNDED.replace("BOUNDS", bounds) + LOSS + LOOP)
    assert verdicts(report) == {"weight": verdict}
    assert codes(report) == (["FXA501"] if verdict == "blocked" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


ADVERSARIES = """
def set_requires_grad(net, flag=False):
    for p in net.parameters():
        p.requires_grad = flag


made, net = nn.Linear(4, 4), nn.Linear(4, 1)
of_made, of_net = (torch.optim.SGD(one.parameters(), lr=0.1) for one in (made, net))
for epoch in range(5):
    fake = made(torch.randn(8, 4))
    set_requires_grad(GIVEN)  # blamed
    of_net.zero_grad()
    real = torch.randn(8, 4, requires_grad=True)
    (net(real).square() + (net(fake.detach()) - 1).square()).mean().backward()
    of_net.step()
    set_requires_grad(net, False)
    of_made.zero_grad()
    net(fake).mean().backward()
    of_made.step()
"""


@pytest.mark.parametrize(("given", "verdict"), [("net", "frozen"), ("net, True", "trained")])
def test_a_helper_that_freezes_as_it_is_asked_to(given: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + ADVERSARIES.replace("GIVEN", given))
    assert verdicts(report)["net.weight"] == verdict
    assert codes(report) == (["FXA306"] if verdict == "frozen" else [])
    assert all("Ask this function for True" in finding.fix for finding in report.findings)
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


SIDES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.side, self.fuse = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(1, 1)

    def forward(self, x):
        side = self.side(torch.tanh(self.body(x)))
        return self.fuse(side.detach()), side


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    fused, side = net(torch.randn(8, 4))
    sides = TAKEN([(side - 1).square().mean()])  # blamed
    return (fused - 1).square().mean() + sides.sum()
"""


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
@pytest.mark.parametrize(("taken", "is_made_anew"), [("torch.tensor", True), ("torch.stack", False)])
def test_a_term_made_anew_comes_before_a_detach_that_is_meant(taken: str, is_made_anew: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SIDES.replace("TAKEN", taken) + LOOP)
    assert codes(report) == (["FXA107"] if is_made_anew else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


BEST = """
import copy


class RestoreBest:
    def __init__(self, mode):
        self.sign = 1.0 if mode == "max" else -1.0

    def on_fit_begin(self, trainer):
        self.best, self.kept = self.sign * trainer.metrics["loss"], copy.deepcopy(trainer.net.state_dict())

    def on_epoch_end(self, trainer):
        if self.sign * trainer.metrics["loss"] > self.best:
            self.on_fit_begin(trainer)
        else:
            trainer.net.load_state_dict(self.kept)


class Trainer:
    def __init__(self, net, callbacks):
        self.net, self.callbacks, self.metrics = net, callbacks, {}
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.05)

    def emit(self, hook):
        x = torch.ones(8, 4)
        self.metrics["loss"] = (self.net(x) - 3).square().mean().item()
        for callback in self.callbacks:
            getattr(callback, hook)(self)

    def fit(self, epochs):
        self.emit("on_fit_begin")
        for _ in range(epochs):
            for _ in range(4):
                self.optimizer.zero_grad()
                (self.net(torch.ones(8, 4)) - 3).square().mean().backward()
                self.optimizer.step()
            self.emit("on_epoch_end")


mode = "MODE"  # blamed
Trainer(nn.Linear(4, 1), [RestoreBest(mode)]).fit(6)
"""


@pytest.mark.parametrize(("mode", "verdict"), [("max", "replaced"), ("min", "trained")])
def test_a_callback_called_by_its_name_that_never_finds_anything_better(
    mode: str, verdict: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, HEAD + BEST.replace("MODE", mode))
    assert set(verdicts(report).values()) == {verdict}
    assert codes(report) == (["FXA408"] if verdict == "replaced" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


SCALED = """
def make_scaler():
    return torch.amp.GradScaler("cpu", init_scale=2.0**20)


net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
BEFORE
for epoch in range(20):
    optimizer.zero_grad()
    INSIDE
    with torch.autocast("cpu", dtype=torch.float16):
        loss = net(10 * torch.randn(8, 4)).square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
"""


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_scaler_that_a_function_makes_anew_in_each_round(is_inside: bool, tmp_path: Path) -> None:
    made = "scaler = make_scaler()  # blamed"
    program = SCALED.replace("INSIDE", made if is_inside else "").replace("BEFORE", "" if is_inside else made)
    report = judged(tmp_path, HEAD + program)
    assert codes(report) == (["FXA406"] if is_inside else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


STAGES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def new_head(self):
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


class Trainer:
    def __init__(self, net):
        self.net, self.optimizer = net, torch.optim.SGD(net.parameters(), lr=0.1)

    def fit(self):
        for _ in range(8):
            self.optimizer.zero_grad()
            self.net(torch.randn(8, 4)).square().mean().backward()
            self.optimizer.step()


Trainer(Net()).fit()
net = Net()
trainer = Trainer(net)
net.new_head()  # blamed
trainer.fit()
"""


def test_a_head_that_is_replaced_in_a_second_stage_that_nobody_recorded_at_first(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + STAGES).findings
    assert finding.code == "FXA204" and line_of(finding).endswith("# blamed")


MADE = "scaler = make_scaler()"
CALL = "h = self.scaled(self.body(x)) if self.gated else self.body(x)"
PLAINLY = {
    "a block": (BLOCKS.replace("CALL", CALL) + LOSS + LOOP, "SECOND", "Block()", "Block(gated=True)"),
    "zeros": (ZEROS + LOSS + LOOP, "BEGINS", "0.0", "0.5"),
    "a mean": (NORMALISED + LOOP, "DIMENSION", "-1", "0"),
    "a mask": (ROUNDED + LOSS + LOOP, "BOUNDS", "high, low", "low, high"),
    "a flag": (ADVERSARIES, "GIVEN", "net", "net, True"),
    "a term": (SIDES + LOOP, "TAKEN", "torch.tensor", "torch.stack"),
    "a scaler": (SCALED.replace("BEFORE", MADE), "INSIDE", MADE, ""),
}
"""The programs that train in their last loop, with what stands in them, by mistake and rightly."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step")
@pytest.mark.parametrize("name", PLAINLY)
def test_plain_training_leaves_some_alone_by_the_mistake_and_none_without(name: str) -> None:
    program, place, mistake, right = PLAINLY[name]
    assert left_alone(HEAD + program.replace(place, mistake)) > 0
    assert left_alone(HEAD + program.replace(place, right)) == 0
