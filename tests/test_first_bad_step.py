"""The one line behind gradients that are not finite, and the one behind zeros of two factors."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

import fxaudit
from tests.scripts import judged, line_of, verdicts

ATTENTION = """
import torch
from torch import nn

torch.manual_seed(0)


class Pool(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.score, self.out = nn.Linear(4, 6), nn.Linear(6, 1, bias=False), nn.Linear(6, 1)

    def forward(self, x, mask):
        h = self.embed(x).tanh()
        scores = self.score(h).squeeze(-1)
        MASKED
        weights = scores.softmax(dim=-1)
        pooled = (weights.unsqueeze(-1) * h).sum(1)
        return self.out(torch.where(mask.any(-1, keepdim=True), pooled, torch.zeros_like(pooled)))


net = Pool()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    mask = torch.tensor([[True, True, False], [False, False, False]]).repeat(4, 1)
    loss = net(torch.randn(8, 3, 4), mask).square().mean()
    optimizer.zero_grad()
    loss.backward()
    CLIPPED
    optimizer.step()
"""
MASKS = {
    "filled": 'scores = scores.masked_fill(~mask, float("-inf"))  # blamed',
    "added": (
        'bias = torch.zeros_like(scores).masked_fill(~mask, float("-inf"))  # blamed\n        scores = scores + bias'
    ),
}
CLIP = "nn.utils.clip_grad_norm_(net.parameters(), 1.0)"


@pytest.mark.parametrize("clipped", ["pass", CLIP], ids=["plain", "clipped"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_rows_that_are_masked_out_whole(tmp_path: Path, mask: str, clipped: str) -> None:
    report = judged(tmp_path, ATTENTION.replace("MASKED", mask).replace("CLIPPED", clipped))
    (finding,) = (one for one in report.findings if one.level != "note")
    assert finding.code == "FXA502" and line_of(finding).endswith("# blamed")
    assert finding.fact == "`softmax` is NaN in 4 of 8 rows"
    spread = [related.role for related in finding.related if "spreads" in related.role]
    assert spread == (["`clip_grad_norm_(1.0)` spreads it to all others"] if clipped == CLIP else [])
    if clipped == CLIP:
        assert set(finding.parameters) == set(report.parameters)


def test_rows_of_which_something_is_left(tmp_path: Path) -> None:
    text = ATTENTION.replace("MASKED", "scores = scores.masked_fill(~mask, -1e9)").replace("CLIPPED", CLIP)
    report = judged(tmp_path, text)
    assert report.findings == () or {finding.level for finding in report.findings} == {"note"}
    assert set(verdicts(report).values()) == {"trained"}


ADAPTED = """
import torch
from torch import nn

torch.manual_seed(0)


class Adapted(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.into = nn.Parameter(torch.empty(2, 4))
        self.out_of = nn.Parameter(torch.empty(4, 2))
        nn.init.zeros_(self.into)  # blamed
        nn.init.zeros_(self.out_of)

    def forward(self, x):
        return self.base(x) + nn.functional.linear(nn.functional.linear(x, self.into), self.out_of)


net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), Adapted(nn.Linear(4, 4)), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_of_two_factors_that_are_zero_the_one_that_is_to_be_begun_otherwise(tmp_path: Path) -> None:
    """A layer before them fills its bias with zeros, too, and has no part in it."""
    (finding,) = judged(tmp_path, ADAPTED).findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed")
    assert judged(tmp_path, ADAPTED.replace("zeros_(self.into)", "normal_(self.into)")).findings == ()


ACTOR = """
import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)
actor, critic = nn.Linear(3, 2), nn.Linear(5, 1)
steps_actor = torch.optim.Adam(actor.parameters(), lr=0.01)
steps_critic = torch.optim.Adam(critic.parameters(), lr=0.01)


def act(s):
    return Normal(actor(s), 0.1).DRAW()  # blamed


for _ in range(5):
    s, a = torch.randn(8, 3), torch.randn(8, 2)
    with torch.no_grad():
        target = critic(torch.cat([s, act(s)], -1))
    loss = (critic(torch.cat([s, a], -1)) - target - 1).square().mean()
    steps_critic.zero_grad()
    loss.backward()
    steps_critic.step()
    loss = -critic(torch.cat([s, act(s)], -1)).mean()
    steps_actor.zero_grad()
    loss.backward()
    steps_actor.step()
"""


def test_the_way_to_the_loss_that_the_optimizer_steps_for(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, ACTOR.replace("DRAW", "sample")).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Draw with `rsample()`")
    assert judged(tmp_path, ACTOR.replace("DRAW", "rsample")).findings == ()


DESTROYED = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).to(TYPE)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)  # blamed
for _ in range(6):
    x = torch.randn(8, 4).to(TYPE)
    x[:, 3] = 0
    loss = net(x).float().square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_a_step_that_makes_a_value_not_finite(tmp_path: Path) -> None:
    """In half precision Adam divides 0 by 0 where no gradient came; every gradient was finite until then."""
    report = judged(tmp_path, DESTROYED.replace("TYPE", "torch.float16"))
    (finding,) = report.findings
    assert finding.code == "FXA502" and line_of(finding).endswith("# blamed")
    assert finding.message.startswith("a step of `Adam` makes NaN of ") and "`torch.autocast`" in finding.fix
    assert verdicts(report)["0.weight"] == "blocked"
    healthy = judged(tmp_path, DESTROYED.replace("TYPE", "torch.float32"))
    assert set(verdicts(healthy).values()) == {"trained"}


LATER = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(6):
    counted = torch.ones(8, 1) if step != 2 else torch.zeros(8, 1)
    each = net(torch.randn(8, 4)).square() * counted
    loss = each.sum() / counted.sum()  # blamed
    optimizer.zero_grad()
    loss.backward()
    STEP
"""


def test_a_batch_that_makes_all_values_not_finite_after_good_ones(tmp_path: Path) -> None:
    report = judged(tmp_path, LATER.replace("STEP", "optimizer.step()"))
    (finding,) = report.findings
    assert finding.code == "FXA502" and line_of(finding).endswith("# blamed")
    assert set(verdicts(report).values()) == {"blocked"}


def test_a_batch_that_is_left_out_for_it(tmp_path: Path) -> None:
    report = judged(tmp_path, LATER.replace("STEP", "if torch.isfinite(loss):\n        optimizer.step()"))
    assert set(verdicts(report).values()) == {"trained"}


HINGE = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def hinge(near, far, margin=MARGIN):  # asked
    apart = near.square().sum(1) - far.square().sum(1) SIGN margin  # put together
    return torch.relu(apart).mean()


for _ in range(4):
    optimizer.zero_grad()
    hinge(net(torch.randn(8, 4)), net(torch.randn(8, 4)).tanh()).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("margin", "sign", "blamed"), [("50.0", "-", "# put together"), ("-50.0", "+", "# asked")], ids=["sign", "setting"]
)
def test_a_margin_of_the_wrong_sign(tmp_path: Path, margin: str, sign: str, blamed: str) -> None:
    (finding,) = judged(tmp_path, HINGE.replace("MARGIN", margin).replace("SIGN", sign)).findings
    assert finding.code == "FXA501" and line_of(finding).endswith(blamed)
    assert finding.fix.startswith("Look at the sign of the number")


def test_a_row_that_came_in_as_nan_is_not_said_to_be_masked(tmp_path: Path) -> None:
    text = ATTENTION.replace(
        "MASKED", "x[1] = float('nan'); h = self.embed(x).tanh(); scores = self.score(h).squeeze(-1)"
    )
    text = text.replace("torch.where(mask.any", "torch.where(torch.isfinite(pooled).all").replace("CLIPPED", "pass")
    said = [finding for finding in judged(tmp_path, text).findings if finding.level == "error"]
    assert [finding.code for finding in said] == ["FXA502"]
    assert "-inf" not in said[0].message and "masked_fill" not in line_of(said[0])


SIGNED = """
class Signed(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad / p.grad.abs(), alpha=group["lr"])
"""


def test_an_optimizer_without_an_epsilon_is_not_told_to_raise_it(tmp_path: Path) -> None:
    text = DESTROYED.replace("TYPE", "torch.float16").replace("torch.optim.Adam", "Signed")
    (finding,) = judged(tmp_path, text.replace("\ntorch.manual_seed", SIGNED + "\ntorch.manual_seed", 1)).findings
    assert finding.code == "FXA502" and finding.message.startswith("a step of `Signed` makes NaN of ")
    assert finding.fix == "Lower the learning rate, or look at what the optimizer divides by."


@pytest.mark.parametrize("rate", [1e-4, 1e3])
def test_what_a_later_step_makes_infinite_did_not_train(rate: float) -> None:
    model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(40)))
    for parameter in model.parameters():
        nn.init.ones_(parameter) if parameter.ndim == 2 else nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.ones(1, 1)).sum().backward()
            optimizer.step()
    whole = {name for name, parameter in model.named_parameters() if bool(parameter.isfinite().all())}
    assert {parameter.name for parameter in watch.report if parameter.verdict == "trained"} == whole
    assert ("39.bias" in whole) and ("0.weight" in whole) == (rate < 1)


def test_what_was_infinite_from_the_start_does_not_count() -> None:
    model = nn.Linear(3, 3)
    with torch.no_grad():
        model.bias[0] = -math.inf  # this class is never chosen
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(8, 3)), torch.randint(1, 3, (8,))).backward()
            optimizer.step()
    assert watch.report.verdicts() == {"trained": 2}


def test_a_large_change_is_no_infinite_one() -> None:
    model = nn.Linear(3, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e30)  # its square has no room in a float32
    with fxaudit.watch(model, optimizer) as watch:
        model(torch.ones(2, 3)).sum().backward()
        optimizer.step()
    assert watch.report.verdicts() == {"trained": 1}
