"""Models written with `einops`, traced without any shape."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import fxaudit

einops = pytest.importorskip("einops", reason="einops is not installed")
from einops import rearrange, reduce, repeat  # noqa: E402
from einops.layers.torch import EinMix, Rearrange, Reduce  # noqa: E402

IMAGES = torch.linspace(-1, 1, 3 * 3 * 8 * 8).reshape(3, 3, 8, 8)


class Patches(nn.Module):
    """A small vision transformer as its authors write it."""

    def __init__(self, *, cut: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Sequential(
            Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=4, q=4), nn.LayerNorm(48), nn.Linear(48, 8)
        )
        self.token = nn.Parameter(torch.zeros(8))
        self.qkv, self.mix = nn.Linear(8, 24), EinMix("b n d -> b n e", weight_shape="d e", d=8, e=8)
        self.pool = Reduce("b n d -> b d", "mean")
        self.head = nn.Linear(8, 2)
        self.cut = cut

    def forward(self, x: Any) -> Any:
        h = self.embed(x)
        h = torch.cat((repeat(self.token, "d -> b 1 d", b=h.shape[0]), h), dim=1)
        q, k, v = (rearrange(part, "b n (h d) -> b h n d", h=2) for part in self.qkv(h).chunk(3, dim=-1))
        attended = (q @ k.transpose(-1, -2)).softmax(dim=-1) @ v
        h = self.mix(rearrange(attended, "b h n d -> b n (h d)"))
        if self.cut:
            h = reduce(h > 0, "b n d -> b d", "any").float()  # cut
            return self.head(h)
        return self.head(self.pool(h))


def test_a_healthy_model_is_followed_without_shapes() -> None:
    report = fxaudit.audit(Patches())
    assert {p.verdict for p in report} == {"trained"}
    assert not report.findings
    found = fxaudit.trace(Patches())
    assert {op.target for op in found.ops if "einops" in op.target} == {
        "einops.rearrange",
        "einops.repeat",
        "torch.nn.einops.rearrange",
        "torch.nn.einops.reduce",
    }


def test_what_a_reduction_to_truth_cuts_off_is_told() -> None:
    report = fxaudit.audit(Patches(cut=True))
    verdicts = {p.name: p.verdict for p in report}
    assert verdicts.pop("head.weight") == verdicts.pop("head.bias") == "trained"
    assert set(verdicts.values()) == {"unreachable"}


@pytest.mark.parametrize("inputs", [None, IMAGES])
def test_the_graph_runs(inputs: Any) -> None:
    model = Patches().eval()
    found = fxaudit.trace(model, inputs)
    assert found.runs, found.obstacles
    torch.testing.assert_close(torch.fx.GraphModule(model, found.graph)(IMAGES), model(IMAGES))


def test_the_functions_are_what_they_were() -> None:
    before = einops.rearrange, einops.reduce, einops.repeat, Rearrange.forward, rearrange
    fxaudit.trace(Patches())
    assert before == (einops.rearrange, einops.reduce, einops.repeat, Rearrange.forward, rearrange)
