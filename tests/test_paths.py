"""The path of each parameter is its own, and tells what the program does with it, as `why` does."""

from __future__ import annotations

import pytest
import torch
from torch import distributed, nn

import fxaudit


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(4, 4), nn.Linear(4, 4, bias=False), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(x)).detach())


def test_parameters_with_the_same_cause_have_paths_of_their_own() -> None:
    model, x = Net(), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)
    ways = {name: [step.label for step in report[name].path] for name in ("first.weight", "second.weight")}
    behind = ["detach", "linear", "square", "mean", "loss"]
    assert ways == {
        "first.weight": ["first.weight", "linear", "linear", *behind],
        "second.weight": ["second.weight", "linear", *behind],
    }
    assert [step.label for step in report["second.weight"].path if step.kind == "cut"] == ["detach"]


def test_a_message_about_several_parameters_keeps_its_verb() -> None:
    model, x = Net(), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        with torch.no_grad():
            features = model.second(model.first(x))
        return model.head(features).square().mean()

    names = fxaudit.audit(model, loss, optimizer)["second.weight"].findings[0].message
    assert "`first.*` and `second.weight` are used" in names


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.extra = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


@pytest.mark.skipif(not distributed.is_available(), reason="this build of torch has no distributed package")
def test_what_a_wrapper_does_with_a_parameter_is_no_part_of_its_path() -> None:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        with fxaudit.watch() as watch:
            model, x = nn.parallel.DistributedDataParallel(Branching()), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            model(x).square().mean().backward()
            optimizer.step()
    finally:
        distributed.destroy_process_group()
    assert [step.label for step in watch.report["extra.weight"].path] == ["extra.weight", "unused"]


def test_why_says_where_the_line_of_a_cut_is_known_unless_it_names_it() -> None:
    model, x = Net(), torch.randn(8, 4)
    unwatched = fxaudit.why(model.first.weight, model(x).mean())
    assert unwatched.culprit is None
    assert "fxaudit.watch()" in str(unwatched)
    with fxaudit.watch():
        watched = fxaudit.why(model.first.weight, model(x).mean())
    assert watched.culprit is not None
    assert watched.culprit.function == "Net.forward"
    assert "fxaudit.watch()" not in str(watched)
