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


LENGTHS = """
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)
SETTINGS = {
    "hop": 8,
    "every": EVERY,  # the setting
}


class Collate:
    def __init__(self, hop):
        self.hop = hop

    def __call__(self, items):
        waves, targets = zip(*items)
        feats = [wave.unfold(0, self.hop, self.hop) for wave in waves]
        counts = COUNTS
        return torch.stack(feats), torch.tensor(counts), torch.stack(targets)


class Net(nn.Module):
    def __init__(self, every):
        super().__init__()
        self.every = every
        self.conv, self.out = nn.Conv1d(8, 8, every, stride=every), nn.Linear(8, 6)

    def forward(self, x, lengths):
        h = torch.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        return self.out(h).log_softmax(-1), torch.div(lengths, self.every, rounding_mode="floor")


items = [(torch.randn(320), torch.randint(1, 6, (6,))) for _ in range(16)]
net = Net(SETTINGS["every"])
loss_of = nn.CTCLoss(zero_infinity=True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for x, lengths, targets in DataLoader(items, 4, collate_fn=Collate(SETTINGS["hop"])):
    logits, short = net(x, LATER)
    loss = loss_of(logits.transpose(0, 1), targets, short, torch.full((4,), 6))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
RIGHT = "[len(wave) // self.hop for wave in waves]"
ONCE_MORE = {
    "in the data": ("[len(f) // self.hop for f in feats]  # blamed", "lengths"),
    "in the loop": (RIGHT, 'lengths // SETTINGS["hop"]'),
    "rounded": ("[int(len(f) / self.hop) for f in feats]  # blamed", "lengths"),
}


def _lengths(counts: str, later: str = "lengths", every: int = 4) -> str:
    text = LENGTHS.replace("COUNTS", counts).replace("LATER", later).replace("EVERY", str(every))
    return text if later == "lengths" else text.replace("net(x, " + later + ")", "net(x, " + later + ")  # blamed")


@pytest.mark.parametrize("way", ONCE_MORE)
def test_a_division_of_lengths_that_count_the_data_already_is_blamed(way: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _lengths(*ONCE_MORE[way])).findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed")
    assert "divided by 8 although they count the data already" in finding.message
    assert finding.fix == "Leave this division out: the outputs are shorter than the data by 4 alone."


@pytest.mark.parametrize("counts", [RIGHT, "[len(f) for f in feats]"])
def test_lengths_that_are_divided_as_the_data_is_are_right(counts: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, _lengths(counts))) == []


def test_outputs_that_are_too_few_are_blamed_on_what_makes_them_few(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _lengths(RIGHT, every=10)).findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# the setting")


RESET = """
import torch
from torch import nn

torch.manual_seed(0)


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(4, 4)
        self.lora_a, self.lora_b = nn.Linear(4, 2, bias=False), nn.Linear(2, 4, bias=False)

    def forward(self, x):
        return self.base(x) + self.lora_b(self.lora_a(x))


def reset(module, text="lora_"):
    for name, p in module.named_parameters():
        TEST


net = nn.Sequential(Adapted(), nn.Tanh(), Adapted(), nn.Linear(4, 1))
CALL
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
BY_NAME = "if text in name:\n            nn.init.zeros_(p)  # picks"
PASSED_BY = "if text not in name:\n            continue\n        p.data.zero_()  # picks"
ALL = "nn.init.zeros_(p)"
WHOLE = "reset(net)"
EACH = "for layer in (net[0], net[2]):\n    reset(layer)"
FACTORS = """for layer in (net[0], net[2]):
    for factor in (layer.lora_a, layer.lora_b):
        reset(factor, "weight")  # calls"""
FACTORS_ALL = FACTORS.replace(', "weight"', "")


def _reset(test: str, call: str) -> str:
    return RESET.replace("TEST", test).replace("CALL", call)


@pytest.mark.parametrize(
    ("test", "call", "blamed"),
    [
        (BY_NAME, WHOLE, "# picks"),
        (PASSED_BY, WHOLE, "# picks"),
        (BY_NAME, EACH, "# picks"),
        (BY_NAME, FACTORS, "# calls"),
        (ALL, FACTORS_ALL, "# calls"),
    ],
)
def test_what_one_call_picks_and_fills_with_zeros_is_blamed_there(
    test: str, call: str, blamed: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, _reset(test, call) + LOOP)
    assert {v for name, v in verdicts(report).items() if "lora_" in name} == {"blocked"}
    assert set(codes(report)) == {"FXA501"}
    assert all(line_of(finding).endswith(blamed) for finding in report.findings)


def test_one_factor_that_is_filled_with_zeros_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, _reset(BY_NAME.replace("text in", '"lora_b" in'), WHOLE) + LOOP)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.slow
def test_plain_training_never_moves_two_factors_of_zeros() -> None:
    assert left_alone(_reset(BY_NAME, WHOLE) + LOOP) == 4 / 10
    assert left_alone(_reset(BY_NAME.replace("text in", '"lora_b" in'), WHOLE) + LOOP) == 0
