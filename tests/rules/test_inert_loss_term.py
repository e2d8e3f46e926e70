"""A term of the loss that brings no gradient is told; what only looks like one is left alone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

import fxaudit

X, Y = torch.linspace(-1, 1, 32).view(8, 4), torch.ones(8, 1)


def under_no_grad(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        penalty = torch.stack([p.square().sum() for p in model.parameters()]).sum()
    return error + 0.1 * penalty


def as_a_number(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return error + model[0](X).abs().mean().item()


def in_a_list(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return torch.stack([error, out.abs().mean().detach()]).sum()


def in_pythons_sum(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(sum([error, out.abs().mean().item()]))


def round_a_value(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return error + (out.abs().mean() - out.abs().mean().detach())


def a_reference(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        base = (ref(X) - Y).square().mean()
    return error - base


def each_reference(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        base = ref(X)
    return error + 0.1 * (out - base).mean()


def a_constant(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return error + torch.tensor(3.0) + 1e-8


def a_sum_from_zero(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(())
    for _ in range(2):
        total = total + error
    return total


def its_own_value(model: nn.Sequential, ref: nn.Sequential, out: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    return error + 0.5 * error.detach()


def codes(term: Callable[..., torch.Tensor]) -> list[tuple[str, str]]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    ref = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        out = model(X)
        return term(model, ref, out, (out - Y).square().mean())

    report = fxaudit.audit(model, loss, optimizer, prove=False)
    assert report.verdicts() == {"trained": 4}
    return [(finding.code, finding.level) for finding in report.findings]


@pytest.mark.parametrize("term", [under_no_grad, as_a_number, in_a_list, in_pythons_sum])
def test_a_term_without_gradient_is_a_warning(term: Callable[..., torch.Tensor]) -> None:
    assert codes(term) == [("FXA113", "warning")]


@pytest.mark.parametrize(
    "term", [round_a_value, a_reference, each_reference, a_constant, a_sum_from_zero, its_own_value]
)
def test_what_is_meant_to_bring_none_is_left_alone(term: Callable[..., torch.Tensor]) -> None:
    assert codes(term) == []
