"""An audit of one batch is careful with what another batch, turn or step may lift, and with nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import lr_scheduler

import fxaudit
from tests.scripts import codes

Made = tuple[nn.Module, Callable[[], torch.Tensor], Any]


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.score, self.box = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(4, 4)

    def scored(self, x: torch.Tensor) -> torch.Tensor:
        return self.score(self.body(x).relu()).square().mean()


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.g, self.d = nn.Linear(3, 3), nn.Linear(3, 1)


def detector(select: Callable[[torch.Tensor], torch.Tensor], lr: float = 0.1) -> Made:
    model, x = Detector(), torch.randn(5, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return model, lambda: model.scored(x) + select(model.box(model.body(x).relu())).abs().sum(), optimizer


def scheduled(make: Callable[[Any], Any]) -> Made:
    model, x = nn.Linear(3, 1), torch.randn(5, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model.__dict__["kept"] = make(optimizer)
    return model, lambda: model(x).square().mean(), optimizer


def turns(several: bool, ever: bool) -> Made:
    model, z, count = Pair(), torch.randn(5, 3), [0]
    first = torch.optim.Adam(model.g.parameters() if several else model.parameters(), lr=0.01)
    second = [torch.optim.Adam(model.d.parameters(), lr=0.01)] if several else []

    def loss() -> torch.Tensor:
        count[0] += 1
        made = model.g(z)
        return F.softplus(model.d(made.detach() if count[0] % 2 or not ever else made)).mean()

    return model, loss, [first, *second]


class Experts(nn.Module):
    """Four experts, the last of which no batch of the test is sent to; `way` says how the others are called."""

    def __init__(self, way: Callable[[Experts, torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.gate, self.out = nn.Linear(4, 4), nn.Linear(4, 1)
        self.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))
        self.way, self.used, self.limit = way, 0, 2
        with torch.no_grad():
            self.gate.bias[-1] = -100.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.gate(x).softmax(-1)
        return self.out(self.way(self, x, weights.argmax(-1))).mean() + weights.max(-1).values.sum()


def behind_any(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    y = torch.zeros_like(x)
    for index, expert in enumerate(self.experts):
        mask = chosen == index
        if mask.any():
            y[mask] = expert(x[mask])
    return y


def those_chosen(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    y = torch.zeros_like(x)
    for index in chosen.unique().tolist():
        y = y + self.experts[index](x) * (chosen == index)[:, None]
    return y


def skipped_when_empty(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    y = torch.zeros_like(x)
    for index in range(len(self.experts)):
        rows = torch.where(chosen == index)[0]
        if len(rows) == 0:
            continue
        y[rows] = self.experts[index](x[rows])
    return y


def one(self: Experts, index: int, rows: torch.Tensor) -> torch.Tensor:
    if rows.shape[0] == 0:
        return rows
    return self.experts[index](rows)


def in_a_helper(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    y = torch.zeros_like(x)
    for index in range(4):
        y[chosen == index] = one(self, index, x[chosen == index])
    return y


def until_sure(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    for expert in self.experts:
        x = torch.tanh(expert(x))
        if x.abs().mean() < 10.0:
            break
    return x


def under_an_alias(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    experts, y = self.experts, torch.zeros_like(x)
    for index in F.one_hot(chosen, 4).sum(0).nonzero().flatten():
        y = y + experts[index](x) * (chosen == index)[:, None]
    return y


def one_too_few(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return torch.stack([self.experts[index](x) for index in range(len(self.experts) - 1)]).sum(0)


def the_one_in_use(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return self.experts[self.used](x)


def behind_a_mask_of_zeros(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    y = those_chosen(self, x, chosen)
    extra = torch.zeros(8, dtype=torch.bool)
    if extra.any():
        y = y + self.spare(x)
    return y


def up_to_a_limit(self: Experts, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    for index, expert in enumerate(self.experts):
        if index == self.limit:
            break
        x = expert(x)
    return x


def experts(way: Callable[[Experts, torch.Tensor, torch.Tensor], torch.Tensor]) -> Made:
    model, x = Experts(way), torch.randn(8, 4)
    if way is behind_a_mask_of_zeros:
        model.spare = nn.Linear(4, 4)
    return model, lambda: model(x), torch.optim.Adam(model.parameters(), lr=0.01)


class Mix(nn.Module):
    """A second net whose part in the outcome `way` decides, by a mask that is nowhere True."""

    def __init__(self, way: Callable[[Mix, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.body, self.second, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.register_buffer("switch", torch.zeros(4))
        self.way = way

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.out(self.way(self, torch.tanh(self.body(x)), x, mask)).mean()


def mixed(way: Callable[[Mix, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> Made:
    model, x, mask = Mix(way), torch.randn(8, 4), torch.zeros(8, 1, dtype=torch.bool)
    return model, lambda: model(x, mask), torch.optim.Adam(model.parameters(), lr=0.01)


def only_the_critic(model: Pair, fake: Callable[[torch.Tensor], torch.Tensor]) -> Made:
    z, real = torch.randn(5, 3), torch.randn(5, 3)
    loss = lambda: F.softplus(-model.d(real)).mean() + F.softplus(model.d(fake(z))).mean()  # noqa: E731
    return model, loss, torch.optim.Adam(model.d.parameters(), lr=0.01)


def without_gradient(model: Pair, z: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model.g(z)


NONE, MASK = torch.empty(0, dtype=torch.long), torch.zeros(5, dtype=torch.bool)

HEALTHY: dict[str, Callable[[], Made]] = {
    "a mask of the batch": lambda: detector(lambda box: box[MASK]),
    "an index of the batch": lambda: detector(lambda box: box[NONE]),
    "index_select": lambda: detector(lambda box: box.index_select(0, NONE)),
    "masked_select": lambda: detector(lambda box: box.masked_select(MASK[:, None])),
    "a mask that is computed": lambda: detector(lambda box: box[MASK & (MASK.long() > 0)]),
    "a linear warm-up": lambda: scheduled(lambda o: lr_scheduler.LambdaLR(o, lambda step: min(1.0, step / 10))),
    "a warm-up of a late start": lambda: scheduled(lambda o: lr_scheduler.LambdaLR(o, lambda step: float(step > 400))),
    "a cosine that begins at 0": lambda: scheduled(
        lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.5 - 0.5 * torch.cos(torch.tensor(step / 30)).item())
    ),
    "two optimizers that take turns": lambda: turns(several=True, ever=True),
    "experts behind `any`": lambda: experts(behind_any),
    "experts that are chosen": lambda: experts(those_chosen),
    "experts that are skipped": lambda: experts(skipped_when_empty),
    "experts in a helper": lambda: experts(in_a_helper),
    "experts until the outcome is sure": lambda: experts(until_sure),
    "experts under an alias": lambda: experts(under_an_alias),
    "a `where`": lambda: mixed(lambda net, h, x, mask: torch.where(mask, net.second(x), h)),
    "a factor": lambda: mixed(lambda net, h, x, mask: h + mask.float() * net.second(x)),
    "a masked fill": lambda: mixed(lambda net, h, x, mask: h + net.second(x).masked_fill(~mask, 0.0)),
    "a factor computed from the batch": lambda: mixed(lambda net, h, x, mask: h + (x > 1e6).float() * net.second(x)),
    "a factor drawn": lambda: mixed(lambda net, h, x, mask: h + (torch.rand(8, 1) < 1e-9).float() * net.second(x)),
    "a number read from the batch": lambda: mixed(
        lambda net, h, x, mask: h + mask.float().mean().item() * net.second(x)
    ),
}
BROKEN: dict[str, tuple[str, Callable[[], Made]]] = {
    "a selection that is cut off": ("FXA104", lambda: detector(lambda box: box[MASK].detach())),
    "a slice of nothing": ("FXA501", lambda: detector(lambda box: box[0:0])),
    "a mask written in the loss": ("FXA501", lambda: detector(lambda box: box[torch.zeros(5, dtype=torch.bool)])),
    "a weight of 0": ("FXA501", lambda: detector(lambda box: box * 0.0)),
    "an argmax": ("FXA108", lambda: detector(lambda box: box.argmax(-1).float())),
    "a rate of 0": ("FXA304", lambda: detector(lambda box: box, lr=0.0)),
    "a schedule that stays at 0": ("FXA304", lambda: scheduled(lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.0))),
    "one optimizer, whose generator has no turn": ("FXA104", lambda: turns(several=False, ever=False)),
    "two optimizers, one of which has no turn": ("FXA104", lambda: turns(several=True, ever=False)),
    "a loop that stops one early": ("FXA101", lambda: experts(one_too_few)),
    "an index that nobody changes": ("FXA101", lambda: experts(the_one_in_use)),
    "a `where` of zeros": (
        "FXA501",
        lambda: mixed(lambda net, h, x, mask: torch.where(torch.zeros(8, 1, dtype=torch.bool), net.second(x), h)),
    ),
    "a factor of zeros like the batch": (
        "FXA501",
        lambda: mixed(lambda net, h, x, mask: h + torch.zeros_like(x) * net.second(x)),
    ),
    "a buffer of zeros": ("FXA501", lambda: mixed(lambda net, h, x, mask: h + net.switch * net.second(x))),
    "a difference of the batch to itself": (
        "FXA501",
        lambda: mixed(lambda net, h, x, mask: h + (x - x) * net.second(x)),
    ),
}
CALM: dict[str, tuple[str, Callable[[], Made]]] = {
    "a mask of zeros before a module": ("spare.weight", lambda: experts(behind_a_mask_of_zeros)),
    "a limit that the program sets": ("experts.3.weight", lambda: experts(up_to_a_limit)),
}
CRITICS: dict[str, Callable[[Pair, torch.Tensor], torch.Tensor]] = {
    "detached": lambda model, z: model.g(z).detach(),
    "under no_grad": without_gradient,
    "by .data": lambda model, z: model.g(z).data,
}


def report_on(make: Callable[[], Made]) -> fxaudit.Report:
    torch.manual_seed(0)
    model, loss, optimizer = make()
    return fxaudit.audit(model, loss, optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_what_another_batch_may_lift_is_no_error(name: str) -> None:
    report = report_on(HEALTHY[name])
    assert [f for f in report.findings if f.level != "note"] == []
    assert {parameter.verdict for parameter in report} <= {"trained", "unknown"}
    assert report.exit_code == 0
    assert all(parameter.reason for parameter in report if parameter.verdict == "unknown")


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_what_nothing_lifts_stays_an_error(name: str) -> None:
    code, make = BROKEN[name]
    report = report_on(make)
    assert (code in codes(report), report.exit_code) == (True, 1)


@pytest.mark.parametrize("name", CALM)
def test_a_branch_that_the_program_decides_is_a_warning(name: str) -> None:
    parameter, make = CALM[name]
    report = report_on(make)
    assert report[parameter].verdict == "unreachable"
    assert ("FXA101", "warning") in {(finding.code, finding.level) for finding in report[parameter].findings}


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("name", CRITICS)
def test_the_generator_is_not_blamed_for_the_loss_of_the_critic(name: str, is_watched: bool) -> None:
    torch.manual_seed(0)
    with fxaudit.watch() if is_watched else contextlib.nullcontext():
        model = Pair()
        generators = torch.optim.Adam(model.g.parameters(), lr=0.01)
        report = fxaudit.audit(*only_the_critic(model, lambda z: CRITICS[name](model, z)))
    assert [finding for finding in report.findings if finding.level != "note"] == []
    assert (report["d.weight"].verdict, report["g.weight"].verdict) == ("trained", "unreachable")
    assert generators.param_groups[0]["lr"] == 0.01


def test_what_another_optimizer_holds_that_was_seen_is_not_left_out() -> None:
    with fxaudit.watch():
        model, z = Pair(), torch.randn(5, 3)
        own = torch.optim.Adam(model.g.parameters(), lr=0.01)
        other = torch.optim.SGD(model.d.parameters(), lr=0.01)
        report = fxaudit.audit(model, lambda: F.softplus(-model.d(model.g(z))).mean(), own)
        alone = fxaudit.audit(model.g, lambda: model.g(z).square().mean(), own)
    assert report["d.weight"].verdict == "unknown"
    assert "another `SGD` holds it" in report["d.weight"].reason
    assert report.exit_code == 0
    assert set(alone.verdicts()) == {"trained"}
    assert other.param_groups


def test_a_margin_that_this_batch_keeps_everywhere_says_nothing() -> None:
    model, x = nn.Linear(3, 2), torch.randn(5, 3)

    def loss() -> torch.Tensor:
        anchor = model(x)
        return F.triplet_margin_loss(anchor, anchor + 0.01, anchor + 100.0)

    report = fxaudit.audit(model, loss, torch.optim.SGD(model.parameters(), lr=0.1))
    assert {(parameter.verdict, parameter.reason) for parameter in report} == {
        ("unknown", "the loss is exactly zero on this batch, and every gradient with it; give it another batch")
    }
