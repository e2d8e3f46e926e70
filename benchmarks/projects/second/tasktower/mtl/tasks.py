"""Task definitions: what a head looks like and how its loss is computed."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Task:
    name: str
    kind: str
    outputs: int

    def loss(self, pred: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if self.kind == "classification":
            return F.cross_entropy(pred, target)
        return F.mse_loss(pred.squeeze(-1), target)


def parse(entries) -> list[Task]:
    return [Task(e["name"], e["kind"], e.get("outputs", 1)) for e in entries]


def synthetic(tasks, n: int, width: int):
    """Inputs and one target per task."""
    x = torch.randn(n, width)
    targets = {}
    for i, t in enumerate(tasks):
        s = x[:, i] + 0.5 * x[:, i + 1]
        if t.kind == "classification":
            targets[t.name] = (s * 1.5).round().long().remainder(t.outputs)
        else:
            targets[t.name] = torch.sin(s)
    return x, targets
