"""What an audit costs, counted in function calls and in looks, as times depend on the machine."""

from __future__ import annotations

import cProfile
import gc
import pstats
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture import members
from fxaudit.capture.autograd import Walk


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.linear(self.norm(x)))


def audit_of(model: nn.Module, x: torch.Tensor) -> Callable[[], fxaudit.Report]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return lambda: fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)


def blocks(count: int) -> Callable[[], fxaudit.Report]:
    torch.manual_seed(0)
    return audit_of(nn.Sequential(*(Residual(8) for _ in range(count))), torch.randn(4, 8))


def calls(work: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_a_second_audit_of_a_small_model_is_cheap() -> None:
    torch.manual_seed(0)  # with weights that leave a gradient zero, the step would be rehearsed
    audit = audit_of(
        nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)), torch.ones(2, 4)
    )
    audit()
    assert calls(audit) < 15_000


@pytest.mark.slow
def test_a_block_more_costs_what_a_block_costs() -> None:
    few, many = blocks(50), blocks(150)
    few(), many()
    assert calls(many) - calls(few) < 100 * 3_500


def test_the_autograd_graph_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = 0
    init = Walk.__init__

    def counting(self: Walk, roots: list[torch.Tensor]) -> None:
        nonlocal walks
        walks += 1
        init(self, roots)

    monkeypatch.setattr(Walk, "__init__", counting)
    blocks(3)()
    assert walks == 1


def test_a_tree_is_gone_through_a_few_times_whatever_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    look = members._look

    def counting(module: nn.Module) -> members.Parts | None:
        nonlocal looks
        looks += 1
        return look(module)

    monkeypatch.setattr(members, "_look", counting)
    blocks(3)()
    assert looks <= 6


def test_nothing_of_a_tree_is_remembered_when_it_may_have_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with members.still():
        assert len(members.named_parameters(model)) == 2
    model.append(nn.Linear(2, 2))
    assert [name for name, _ in members.named_parameters(model)] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert members._MOMENT.trees is None


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.other = self.one
        self.tied = nn.Linear(2, 2)
        self.tied.weight = self.one[0].weight
        self.nothing = None
        self.register_parameter("empty", None)
        self.items = nn.ParameterDict({"a": nn.Parameter(torch.ones(1))})


def parametrized() -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    nn.utils.parametrizations.weight_norm(model[0])
    return model


@pytest.mark.parametrize("make", [Shared, parametrized, lambda: nn.TransformerEncoderLayer(4, 2), nn.Identity])
def test_members_are_those_that_torch_lists(make: Callable[[], nn.Module]) -> None:
    model = make()
    assert [(n, id(p)) for n, p in members.named_parameters(model)] == [(n, id(p)) for n, p in model.named_parameters()]
    assert [(n, id(m)) for n, m in members.named_modules(model)] == [(n, id(m)) for n, m in model.named_modules()]


@pytest.fixture
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("given", [(700, 10, 10), (0, 10, 10), (123, 4, 5)])
@pytest.mark.parametrize("raises", [False, True])
def test_the_garbage_collector_is_left_as_it_was(given: tuple[int, int, int], raises: bool, thresholds: None) -> None:
    gc.set_threshold(*given)
    model = nn.Linear(2, 1)

    def loss() -> torch.Tensor:
        if raises:
            raise ZeroDivisionError
        return model(torch.ones(1, 2)).sum()

    if raises:
        with pytest.raises(ZeroDivisionError):
            fxaudit.audit(model, loss)
    else:
        fxaudit.audit(model, loss)
    assert gc.get_threshold() == given


def test_a_closure_that_sets_the_thresholds_keeps_them(thresholds: None) -> None:
    model = nn.Linear(2, 1)

    def loss() -> torch.Tensor:
        gc.set_threshold(1234, 5, 6)
        return model(torch.ones(1, 2)).sum()

    fxaudit.audit(model, loss)
    assert gc.get_threshold() == (1234, 5, 6)
