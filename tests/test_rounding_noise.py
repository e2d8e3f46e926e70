"""Rounding noise is what is left of terms that cancel, however large other gradients are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import fxaudit
from tests.scripts import codes, judged, line_of, verdicts


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.q(x) @ self.k(x).transpose(-1, -2) / 3).softmax(-1) @ self.v(x)


def convolved() -> tuple[nn.Module, tuple[int, ...], set[str]]:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Conv2d(4, 1, 3)), (6, 3, 8, 8), {"0.bias"}


def attended() -> tuple[nn.Module, tuple[int, ...], set[str]]:
    return nn.Sequential(Attention(), nn.Linear(8, 1)), (6, 5, 8), {"0.k.bias"}


def shifted_before() -> tuple[nn.Module, tuple[int, ...], set[str]]:
    net = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
    return net, (16, 8), {"0.bias", "1.bias"}


def taken_for_a_class() -> tuple[nn.Module, tuple[int, ...], set[str]]:
    return nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 3), nn.LogSoftmax(-1)), (16, 8), set()


@pytest.mark.parametrize("make", [convolved, attended, shifted_before, taken_for_a_class])
@pytest.mark.parametrize("way", ["audit", "watch"])
def test_terms_that_cancel_are_noise(make: object, way: str) -> None:
    torch.manual_seed(0)
    model, shape, noise = make()  # type: ignore[operator]
    x, optimizer = torch.randn(*shape), torch.optim.SGD(model.parameters(), lr=1e-3)

    def loss() -> torch.Tensor:
        found: torch.Tensor = (model(x).square() + model(x)).mean()
        return found

    if way == "audit":
        report = fxaudit.audit(model, loss, optimizer)
    else:
        with fxaudit.watch(model, optimizer) as watching:
            for _ in range(3):
                optimizer.zero_grad()
                loss().backward()
                optimizer.step()
        report = watching.report
    assert {name for f in report.findings for name in f.parameters if f.code == "FXA505"} == noise
    assert {f.code for f in report.findings} <= {"FXA505"}


SMALL = {
    "inputs of 1e9": """
model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
with torch.no_grad(): model[0].weight.mul_(1e-9)
x, y = 1.7e9 * (1 + torch.rand(32, 2)), torch.rand(32, 1)
def loss(): return nn.functional.mse_loss(model(x), y)
""",
    "a weight of 1e9 on another term": """
model = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)])
x, y = torch.randn(32, 2), torch.rand(32, 1)
def loss(): return nn.functional.mse_loss(model[0](x), y) + 1e9 * nn.functional.mse_loss(model[1](x), y)
""",
    "a small scale": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.scale = nn.Linear(2, 3), nn.Parameter(torch.ones(3))
    def forward(self, x): return self.body(x * 1e9) + self.scale * 1e-3
model = Net()
x = torch.randn(32, 2)
def loss(): return model(x).sum()
""",
    "a batch of one": """
model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
x = 1e9 * torch.ones(1, 2)
def loss(): return model(x).sum()
""",
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_gradient_beside_a_huge_one_is_real(name: str, tmp_path: Path) -> None:
    text = f"""\
import torch
from torch import nn
torch.manual_seed(0)
{SMALL[name]}
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(4):
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()
"""
    report = judged(tmp_path, text)
    assert (codes(report), set(verdicts(report).values())) == ([], {"trained"})


CLIPPED = """\
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Linear(3, 1)
scale = nn.Parameter(torch.full((1,), 1e-25))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 3), torch.randn(8, 1)
for _ in range(4):
    {clear}
    loss = nn.functional.mse_loss(model(x), y) + (1 / scale).mean() * 1e-20
    loss.backward()
    nn.utils.clip_grad_norm_([*model.parameters(), scale], 1.0)
    optimizer.step()
"""


def test_a_norm_that_overflows_leaves_nothing_or_makes_nan(tmp_path: Path) -> None:
    spoilt = judged(tmp_path, CLIPPED.format(clear="optimizer.zero_grad()"))
    found = next(f for f in spoilt.findings if f.code == "FXA407")
    assert (line_of(found)[:27], "NaN" in found.message) == ("nn.utils.clip_grad_norm_([*", True)
    cleared = judged(tmp_path, CLIPPED.format(clear="optimizer.zero_grad(); scale.grad = None"))
    found = next(f for f in cleared.findings if f.code == "FXA407")
    assert (line_of(found)[:27], "by inf" in found.message) == ("nn.utils.clip_grad_norm_([*", True)
    assert {spoilt["weight"].verdict, cleared["weight"].verdict} == {"blocked"}
