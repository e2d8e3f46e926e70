"""An audit of one batch is careful with what another batch, turn or step may lift, and with nothing else."""

from __future__ import annotations

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
}


def report_on(make: Callable[[], Made]) -> fxaudit.Report:
    torch.manual_seed(0)
    model, loss, optimizer = make()
    return fxaudit.audit(model, loss, optimizer)


@pytest.mark.parametrize("name", HEALTHY)
def test_what_another_batch_may_lift_is_no_error(name: str) -> None:
    report = report_on(HEALTHY[name])
    assert [f for f in report.findings if f.level != "note"] == []
    assert {parameter.verdict for parameter in report} <= {"trained", "unknown"}
    assert report.exit_code == 0
    assert all(parameter.reason for parameter in report if parameter.verdict == "unknown")


@pytest.mark.parametrize("name", BROKEN)
def test_what_nothing_lifts_stays_an_error(name: str) -> None:
    code, make = BROKEN[name]
    report = report_on(make)
    assert (code in codes(report), report.exit_code) == (True, 1)
