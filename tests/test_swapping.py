"""`torch.utils.swap_tensors` refuses a tensor to which anybody holds a weak reference: it is never fxaudit's."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.utils import swap_tensors as imported_by_name

import fxaudit


@pytest.fixture(autouse=True)
def _swapping() -> Iterator[None]:
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    yield
    torch.__future__.set_swap_module_params_on_conversion(before)


def trained(convert_after: int) -> tuple[list[float], torch.Tensor]:
    """Losses and the final weight of a loop that converts its model before step `convert_after`."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses, dtype = [], torch.float32
    for step in range(5):
        if step == convert_after:
            dtype = torch.float64
            model.to(dtype)
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4, dtype=dtype)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model[0].weight.detach().clone()


@pytest.mark.parametrize("convert_after", [0, 2])
def test_a_model_is_converted_by_swapping_while_it_is_watched(convert_after: int) -> None:
    plain = trained(convert_after)
    with fxaudit.watch() as watch:
        watched = trained(convert_after)
    assert watched[0] == plain[0]
    assert torch.equal(watched[1], plain[1])
    assert set(watch.report.verdicts()) == {"trained"}
    assert watch.report.findings == ()


def test_a_state_dict_is_loaded_by_swapping() -> None:
    with fxaudit.watch() as watch:
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model.load_state_dict(nn.Linear(4, 1).state_dict())
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimizer.step()
    assert set(watch.report.verdicts()) == {"trained"}


def test_a_function_imported_before_swaps_too() -> None:
    one, other = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
    with fxaudit.watch():
        (one * 2).sum()
        (other * 2).sum()
        imported_by_name(one, other)
    assert one.tolist() == [0.0, 0.0]


def test_the_users_own_weak_references_are_still_refused() -> None:
    one, other = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
    theirs = weakref.ref(one)
    with fxaudit.watch(), pytest.raises(RuntimeError, match="Cannot swap t1 because it has weakref"):
        torch.utils.swap_tensors(one, other)
    assert theirs() is one


def audit(model: nn.Module, x: torch.Tensor) -> object:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)


def audit_of_zeros(model: nn.Module, x: torch.Tensor) -> object:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return fxaudit.audit(model, lambda: (0.0 * model(x)).sum(), optimizer)


def audit_inputs(model: nn.Module, x: torch.Tensor) -> object:
    return fxaudit.audit(model, inputs=(x,))


def audit_structure(model: nn.Module, x: torch.Tensor) -> object:
    return fxaudit.audit(model)


def watch_loop(model: nn.Module, x: torch.Tensor) -> object:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(20):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    return watch, watch.report


def watch_nothing(model: nn.Module, x: torch.Tensor) -> object:
    with fxaudit.watch() as watch:
        model(x)
    return watch


def audit_in_watch(model: nn.Module, x: torch.Tensor) -> object:
    with fxaudit.watch() as watch:
        report = audit(model, x)
    return watch, report


def why(model: nn.Module, x: torch.Tensor) -> object:
    return fxaudit.why(model.weight, model(x).sum())  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "look",
    [audit, audit_of_zeros, audit_inputs, audit_structure, watch_loop, watch_nothing, audit_in_watch, why],
    ids=lambda look: look.__name__,
)
def test_nothing_refers_to_a_parameter_afterwards(look: Callable[[nn.Module, torch.Tensor], object]) -> None:
    model, x = nn.Linear(4, 1), torch.randn(8, 4)
    kept = look(model, x)
    gc.collect()
    assert weakref.getweakrefs(model.weight) == []
    model.to(torch.float64)
    assert model.weight.dtype is torch.float64
    assert kept is not None


def test_torch_is_as_before() -> None:
    before = torch.utils.swap_tensors, torch.utils.weakref  # type: ignore[attr-defined]
    with fxaudit.watch(), fxaudit.watch():
        pass
    assert (torch.utils.swap_tensors, torch.utils.weakref) == before  # type: ignore[attr-defined]
    assert torch.utils.weakref is weakref  # type: ignore[attr-defined]
