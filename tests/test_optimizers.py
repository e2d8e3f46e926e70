"""Optimizers of installed packages, each with arithmetic of its own: no alarm, and all that they move is trained.

Left out, with the reason: what needs a process group, convolution weights only, a closure with second derivatives of
its own, or another package. `SaRA` moves nothing in this loop, so nothing is claimed of it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.run.copy import in_copy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("first_step_paid")]

LEFT_OUT = {
    "DistributedMuon": "needs a process group",
    "SpectralSphere": "takes matrices only",
    "DeMo": "needs einops and a process group",
    "BSAM": "does not step in torch 2.13: two of its lists differ in length",
    "AliG": "reads the loss that a closure returns under its own no-grad mode",
    "SaRA": "moves nothing without masks of its own",
    "Lookahead": "is given an optimizer; see WRAPPERS",
}
STEPS = 30


def known() -> list[tuple[str, str]]:
    """(package, class) of all that is installed."""
    found = []
    for package, listing in (("pytorch_optimizer", "OPTIMIZERS"), ("torch_optimizer", "_NAME_OPTIM_MAP")):
        if importlib.util.find_spec(package) is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = importlib.import_module(package)
                names = sorted({kind.__name__ for kind in vars(module).get(listing, {}).values()} or _exported(module))
            found += [(package, name) for name in names if name not in LEFT_OUT]
    for package, names in (
        ("schedulefree", ["AdamWScheduleFree", "SGDScheduleFree", "RAdamScheduleFree"]),
        ("prodigyopt", ["Prodigy"]),
        ("lion_pytorch", ["Lion"]),
        ("torchao.optim", ["Adam8bit", "Adam4bit", "AdamFp8", "AdamW8bit", "AdamW4bit", "AdamWFp8"]),
    ):
        if importlib.util.find_spec(package.partition(".")[0]) is not None:
            found += [(package, name) for name in names]
    return found


def _exported(module: Any) -> set[str]:
    supported = getattr(module, "get_supported_optimizers", None)
    return {module.load_optimizer(name).__name__ for name in supported()} if supported is not None else set()


WRAPPERS: dict[str, Callable[[Any, nn.Module], Any]] = {
    "SAM": lambda po, model: po.SAM(model.parameters(), base_optimizer=torch.optim.SGD, lr=0.1),
    "WSAM": lambda po, model: po.WSAM(model, model.parameters(), base_optimizer=torch.optim.SGD, lr=0.1),
    "LookSAM": lambda po, model: po.LookSAM(model.parameters(), base_optimizer=torch.optim.SGD, lr=0.1),
    "Lookahead": lambda po, model: po.Lookahead(torch.optim.SGD(model.parameters(), lr=0.1)),
    "OrthoGrad": lambda po, model: po.OrthoGrad(torch.optim.SGD(model.parameters(), lr=0.1)),
    "TRAC": lambda po, model: po.TRAC(torch.optim.SGD(model.parameters(), lr=0.1)),
}


def built(kind: Any, model: nn.Module) -> Any:
    """An optimizer of that class, however it wants to be given its parameters."""
    muon = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "use_muon": True},
        {"params": [p for p in model.parameters() if p.ndim < 2], "use_muon": False},
    ]
    ways: list[Callable[[], Any]] = [
        lambda: kind(model.parameters(), lr=1e-2),
        lambda: kind(model.parameters()),
        lambda: kind(model.parameters(), num_iterations=STEPS),
        lambda: kind(model, lr=1e-2),
        lambda: kind(model),
        lambda: kind(muon),
    ]
    for way in ways:
        try:
            return way()
        except (TypeError, AttributeError, RuntimeError):
            continue
    raise AssertionError(f"no way to build {kind}")


def trained(make: Callable[[nn.Module], Any], steps: int = STEPS, width: int = 8) -> list[bool]:
    """Train as the optimizer wants it; which parameters moved."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 3))
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = make(model)
    kind = type(optimizer).__name__
    if "ScheduleFree" in kind:
        optimizer.train()
    for _ in range(steps):
        x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))

        def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward(create_graph=kind in ("AdaHessian", "Adahessian", "SophiaH"))
            return loss

        if "LOMO" in kind:
            optimizer.fused_backward(nn.functional.cross_entropy(model(x), y), 1e-2)
        elif "SAM" in kind or kind == "LBFGS":
            closure()
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return [not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True)]


def told(make: Callable[[nn.Module], Any], width: int = 8) -> tuple[bool, dict[str, int], list[str]]:
    """(whether all parameters moved under plain Python, verdicts, findings above note), in a process of its own."""

    def work() -> str:
        warnings.simplefilter("ignore")
        moved = all(trained(make, width=width))
        with fxaudit.watch() as watch:
            trained(make, width=width)
        loud = [f"{f.code} {f.message}" for f in watch.report.findings if f.level != "note"]
        return json.dumps([moved, watch.report.verdicts(), loud])

    answer, why = in_copy(work, seconds=100.0)
    assert answer is not None, why
    moved, verdicts, loud = json.loads(answer)
    return moved, verdicts, loud


@pytest.mark.parametrize(("package", "name"), known(), ids=lambda value: str(value))
def test_no_alarm_and_what_moves_is_trained(package: str, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(package)
    kind = getattr(module, name)
    # Only states of 4,096 elements and more are kept in 8 or 4 bits.
    moved, verdicts, loud = told(lambda model: built(kind, model), width=1024 if package == "torchao.optim" else 8)
    assert loud == []
    assert set(verdicts) <= ({"trained"} if moved else {"trained", "unknown"})


@pytest.mark.skipif(importlib.util.find_spec("pytorch_optimizer") is None, reason="pytorch_optimizer is not installed")
@pytest.mark.parametrize("name", WRAPPERS)
def test_an_optimizer_around_another_raises_no_alarm(name: str) -> None:
    package = importlib.import_module("pytorch_optimizer")
    moved, verdicts, loud = told(lambda model: WRAPPERS[name](package, model))
    assert moved
    assert loud == []
    assert set(verdicts) == {"trained"}
