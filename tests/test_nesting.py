"""Watches and audits that overlap, in whatever order they end, leave torch as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.patches import Patches

Model = tuple[nn.Module, torch.optim.Optimizer]


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[int, str], tuple[Any, str, object]]]:
    """Every attribute that is replaced while the test runs, with what stood there first."""
    first: dict[tuple[int, str], tuple[Any, str, object]] = {}
    replace = Patches.replace

    def noting(self: Patches, owner: Any, name: str, new: object) -> None:
        first.setdefault((id(owner), name), (owner, name, vars(owner).get(name)))
        replace(self, owner, name, new)

    monkeypatch.setattr(Patches, "replace", noting)
    yield first


def make() -> Model:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(2, 3)).sum().backward()
        optimizer.step()


def one_in_the_other(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[fxaudit.Report]:
    with fxaudit.watch(model, optimizer) as outer, fxaudit.watch(model, optimizer) as inner:
        train(model, optimizer)
    return [outer.report, inner.report]


def the_outer_has_seen_enough_first(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[fxaudit.Report]:
    with fxaudit.watch(model, optimizer, steps=1) as outer, fxaudit.watch(model, optimizer, steps=4) as inner:
        train(model, optimizer, 6)
    return [outer.report, inner.report]


def the_first_ends_first(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[fxaudit.Report]:
    first, second = fxaudit.watch(model, optimizer), fxaudit.watch(model, optimizer)
    first.__enter__()
    second.__enter__()
    train(model, optimizer)
    first.__exit__(None, None, None)
    train(model, optimizer)
    second.__exit__(None, None, None)
    return [first.report, second.report]


def in_two_threads(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[fxaudit.Report]:
    reports: list[fxaudit.Report] = []

    def audit() -> None:
        own, steps = make()
        for _ in range(3):
            reports.append(fxaudit.audit(own, lambda: own(torch.ones(2, 3)).sum(), steps, prove=False))

    threads = [threading.Thread(target=audit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 6
    return reports


@pytest.mark.parametrize(
    "overlapping", [one_in_the_other, the_outer_has_seen_enough_first, the_first_ends_first, in_two_threads]
)
def test_everything_that_was_replaced_stands_in_its_place_again(
    overlapping: Callable[[nn.Module, torch.optim.Optimizer], list[fxaudit.Report]],
    replaced: dict[tuple[int, str], tuple[Any, str, object]],
) -> None:
    for report in overlapping(*make()):
        assert report.verdicts() == {"trained": 4}
    assert len(replaced) > 20
    assert [(owner, name) for owner, name, first in replaced.values() if vars(owner).get(name) is not first] == []
    assert torch._C._len_torch_function_stack() == 0


def test_after_many_nestings_everything_stands_in_its_place_too(
    replaced: dict[tuple[int, str], tuple[Any, str, object]],
) -> None:
    for _ in range(10):
        one_in_the_other(*make())
    assert all(vars(owner).get(name) is first for owner, name, first in replaced.values())


def test_what_somebody_else_put_on_top_stays_theirs() -> None:
    class Owner:
        value = "first"

    ours, mine = Patches(), "mine"
    ours.replace(Owner, "value", mine)
    Owner.value = "theirs"
    ours.restore()
    assert Owner.value == "theirs"
