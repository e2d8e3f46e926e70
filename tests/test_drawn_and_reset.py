"""Distributions that are drawn from without gradients, adapters whose factors are all filled with zeros, and lengths
that are divided although they count the right thing already."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
DRAWN = """
import torch
from torch import nn
from torch.distributions import Beta, LowRankMultivariateNormal, MultivariateNormal, RelaxedOneHotCategorical

torch.manual_seed(0)


class Selector(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.randn(2, 4))
        self.out = nn.Linear(1, 1)

    def forward(self, x):
        dist = DIST  # made
        return USE


net = Selector()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
DISTRIBUTIONS = (
    "RelaxedOneHotCategorical(torch.tensor(1.0), logits=self.logits)",
    "MultivariateNormal(self.logits[0], scale_tril=torch.diag_embed(self.logits[1].exp()))",
    "LowRankMultivariateNormal(self.logits[0], self.logits.t(), self.logits[1].exp())",
    "Beta(self.logits.exp(), self.logits.exp())",
)
SAMPLED = "self.out((x * dist.sample().flatten()[0]).sum(-1, keepdim=True))  # blamed"
REDRAWN = SAMPLED.replace("sample", "rsample").replace("  # blamed", "")
SCORED = "self.score(dist, dist.sample(), x)"
SCORING = """
    def score(self, dist, drawn, x):
        chance = dist.log_prob(drawn)
        return self.out((x * drawn.mean()).sum(-1, keepdim=True))  # blamed


net = """


@pytest.mark.parametrize("made", DISTRIBUTIONS)
def test_the_draw_is_blamed_and_not_what_the_distribution_checks(made: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, DRAWN.replace("DIST", made).replace("USE", SAMPLED) + LOOP).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Draw with `rsample()`")


@pytest.mark.parametrize("made", DISTRIBUTIONS[:2])
def test_a_draw_with_gradients_is_right(made: str, tmp_path: Path) -> None:
    report = judged(tmp_path, DRAWN.replace("DIST", made).replace("USE", REDRAWN) + LOOP)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


def test_a_likelihood_that_nobody_uses_is_blamed_before_the_draw(tmp_path: Path) -> None:
    text = DRAWN.replace("DIST", DISTRIBUTIONS[0]).replace("USE", SCORED).replace("\n\nnet = ", SCORING)
    (finding,) = judged(tmp_path, text + LOOP).findings
    assert finding.code == "FXA103" and line_of(finding).endswith("# blamed")


@pytest.mark.slow
def test_plain_training_moves_the_logits_by_a_draw_with_gradients_alone() -> None:
    text = DRAWN.replace("DIST", DISTRIBUTIONS[0])
    assert left_alone(text.replace("USE", SAMPLED) + LOOP) == 1 / 3
    assert left_alone(text.replace("USE", REDRAWN) + LOOP) == 0
