"""`trained` is checked against what training really does, step by step, without fxaudit.

A parameter trains if, in one of the first five steps, a gradient that is neither zero nor NaN arrives at it and undoing
the optimizer's step would change what it is when forward has run once more. Weight decay without a gradient does not
count, and neither does a change that forward overwrites. Gradients that are mere rounding noise decide nothing.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from tests.zoo import ZOO, Specimen, Training, report_on

STEPS = 5
REFUSED = "slot_reassigned_in_forward"  # PyTorch raises; there is nothing to train


def forward_and_backward(training: Training) -> Any:
    for optimizer in training.optimizers:
        optimizer.zero_grad()
    for parameter in training.named_parameters().values():
        parameter.grad = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = training.loss()
        has_run = any(parameter.grad is not None for parameter in training.named_parameters().values())
        if loss is not None and loss.requires_grad and not has_run:
            loss.backward()
    return loss


def copies(training: Training) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in training.named_parameters().items()}


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return (
        torch.equal(torch.view_as_real(one), torch.view_as_real(other)) if one.is_complex() else torch.equal(one, other)
    )


def arrivals(training: Training) -> set[str]:
    """The parameters with a gradient that is neither absent, nor zero, nor infinite or NaN."""
    found = set()
    for name, parameter in training.named_parameters().items():
        gradient = parameter.grad
        if gradient is not None:
            dense = gradient.to_dense() if gradient.is_sparse else gradient
            if bool(dense.any()) and bool(torch.isfinite(dense).all()):
                found.add(name)
    return found


def after(specimen: Specimen, steps: int, undo_the_last: bool) -> tuple[dict[str, torch.Tensor], set[str]]:
    """The values once forward has run after so many steps, and where a gradient had arrived at the last of them."""
    training = specimen.make()
    arrived: set[str] = set()
    for number in range(steps):
        forward_and_backward(training)
        arrived = arrivals(training)
        before = copies(training)
        for optimizer in training.optimizers:
            optimizer.step(
                *([lambda: forward_and_backward(training)] if isinstance(optimizer, torch.optim.LBFGS) else [])
            )
        if undo_the_last and number == steps - 1:
            with torch.no_grad():
                for name, parameter in training.named_parameters().items():
                    parameter.copy_(before[name])
    forward_and_backward(training)
    return copies(training), arrived


def really_trained(specimen: Specimen) -> set[str]:
    trained: set[str] = set()
    for steps in range(1, STEPS + 1):
        with_it, arrived = after(specimen, steps, undo_the_last=False)
        without_it, _ = after(specimen, steps, undo_the_last=True)
        if not specimen.make().optimizers:
            return arrived
        trained |= {name for name in arrived if not same(with_it[name], without_it[name])}
        if trained == set(with_it):
            break
    return trained


@pytest.mark.slow
@pytest.mark.parametrize("specimen", [pytest.param(s, id=n) for n, s in ZOO.items() if n != REFUSED])
def test_trained_means_that_real_steps_change_it_because_of_a_gradient(specimen: Specimen) -> None:
    report = report_on(specimen.name)
    names = set(specimen.make().named_parameters())
    decided = {name for name in names if specimen.verdict(name) != "*"}
    assert {name for name in decided if report[name].verdict == "trained"} == really_trained(specimen) & decided


def test_what_pytorch_refuses_has_no_oracle() -> None:
    with pytest.raises(TypeError, match="cannot assign"):
        forward_and_backward(ZOO[REFUSED].make())


def test_the_oracle_is_not_fooled_by_weight_decay() -> None:
    specimen = ZOO["never_called_and_never_read"]
    training = specimen.make()
    before = copies(training)
    for _ in range(2):
        forward_and_backward(training)
        for parameter in training.named_parameters().values():  # what `zero_grad(set_to_none=False)` leaves behind
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        training.optimizers[0].step()
    assert not same(before["unused"], copies(training)["unused"])
    assert "unused" not in really_trained(specimen)
