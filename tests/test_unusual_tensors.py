"""Models that keep tensors of other layouts, a sparse adjacency, a nested batch: judged, and left as they were."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import fxaudit


class Keeps(nn.Module):
    def __init__(self, kept: torch.Tensor) -> None:
        super().__init__()
        self.layer, self.dead = nn.Linear(4, 4), nn.Linear(4, 4)
        self.register_buffer("kept", kept)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = self.kept
        mixed = torch.stack([part.sum() for part in kept.unbind()]).sum() if kept.is_nested else (kept @ x).sum()
        return self.layer(x).sum() + 0 * self.dead(x).sum() + mixed


def nested() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a prototype, says torch
        return torch.nested.nested_tensor([torch.ones(2, 4), torch.ones(3, 4)])


KINDS = {
    "coo": lambda: torch.eye(4).to_sparse(),
    "csr": lambda: torch.eye(4).to_sparse_csr(),
    "nested": nested,
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_keeps_one_is_audited_and_watched(kind: str) -> None:
    model = Keeps(KINDS[kind]())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(4, 4)
    kept = model.kept
    report = fxaudit.audit(model, lambda: model(x), optimizer)
    verdicts = {parameter.name: parameter.verdict for parameter in report}
    assert verdicts == {
        "layer.weight": "trained",
        "layer.bias": "trained",
        "dead.weight": "blocked",
        "dead.bias": "blocked",
    }
    assert report.notes == () and model.kept is kept
    with fxaudit.watch() as watching:
        for _ in range(3):
            optimizer.zero_grad()
            model(x).backward()
            optimizer.step()
    assert watching.report is not None
    assert {parameter.name: parameter.verdict for parameter in watching.report} == verdicts
    assert watching.report.notes == ()


def test_the_gradient_of_a_nested_leaf_is_seen() -> None:
    leaf = nested().requires_grad_()
    layer = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    with fxaudit.watch() as watching:
        for _ in range(2):
            optimizer.zero_grad()
            leaf.grad = None
            sum(layer(part).sum() for part in leaf.unbind()).backward()
            optimizer.step()
    assert watching.report is not None and watching.report["weight"].verdict == "trained"
    assert leaf.grad is not None
