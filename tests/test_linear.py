"""Judging is linear in the model: counted in function calls, as times depend on the machine."""

from __future__ import annotations

import cProfile
import pstats

import pytest
import torch
from torch import nn

import fxaudit


class Headed(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.body(x))
        return out


def calls(layers: int, *, norm: bool) -> int:
    """Function calls of the audit of a model around a body that has a variable, and an optimizer, of its own."""
    torch.manual_seed(0)
    body = nn.Sequential(
        *(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4) if norm else nn.Tanh()) for _ in range(layers))
    )
    model, x = Headed(body), torch.randn(2, 4)
    optimizers = [torch.optim.SGD(body.parameters(), lr=0.1), torch.optim.SGD(model.head.parameters(), lr=0.1)]
    profile = cProfile.Profile()
    profile.enable()
    report = fxaudit.audit(model, lambda: model(x).mean(), optimizers)
    profile.disable()
    assert f"body.{layers - 1}.0.weight" in report.parameters
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("norm", [False, True])
def test_four_times_the_layers_cost_four_times_the_calls(norm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.run.replay.can_fork", lambda: False)  # what a copy does is not counted
    calls(10, norm=norm)
    assert calls(160, norm=norm) < 5 * calls(40, norm=norm)


def test_who_holds_a_parameter_is_looked_up_and_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxaudit.capture.session import Session

    asked = 0
    holds = Session._holds

    def counting(self: Session, info: object) -> bool:
        nonlocal asked
        asked += 1
        return holds(self, info)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_holds", counting)
    parts = [nn.Linear(1, 1) for _ in range(60)]
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in parts]
    model = nn.Sequential(*parts)
    x = torch.ones(1, 1)
    report = fxaudit.audit(model, lambda: torch.stack([part(x).sum() for part in parts]).sum(), optimizers, prove=False)
    assert report.verdicts() == {"trained": 120}
    assert asked < 20 * 120, "each parameter asks its own optimizer, not all 60"


@pytest.mark.slow
def test_parts_that_the_loop_calls_itself_do_not_each_look_for_their_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxaudit.capture.session import Session

    asked = 0
    roots = Session.roots

    def counting(self: Session) -> object:
        nonlocal asked
        asked += 1
        return roots(self)

    def looked(count: int) -> int:
        nonlocal asked
        asked = 0
        model = nn.ModuleList(nn.Linear(2, 2) for _ in range(count))
        for layer in model:
            nn.init.eye_(layer.weight)  # so that no gradient fades on the way, and none grows after a step
            nn.init.zeros_(layer.bias)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        with fxaudit.watch(model, optimizer) as watch:
            for _ in range(2):
                x = torch.ones(1, 2)
                for layer in model:
                    x = layer(x)
                optimizer.zero_grad()
                x.sum().backward()
                optimizer.step()
        assert {parameter.verdict for parameter in watch.report} == {"trained"}
        return asked

    monkeypatch.setattr(Session, "roots", counting)
    assert looked(400) <= looked(200)
