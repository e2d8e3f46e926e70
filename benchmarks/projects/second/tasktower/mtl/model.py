from __future__ import annotations

import torch
from torch import nn


class SharedTrunk(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, hidden)

    def forward(self, x):
        return torch.tanh(self.fc2(torch.tanh(self.fc1(x))))


class TaskHead(nn.Module):
    def __init__(self, hidden: int, outputs: int) -> None:
        super().__init__()
        self.mid = nn.Linear(hidden, hidden // 2)
        self.out = nn.Linear(hidden // 2, outputs)

    def forward(self, h):
        return self.out(torch.tanh(self.mid(h)))


class MultiTaskModel(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.trunk = SharedTrunk(width, hidden)
        self.heads = nn.ModuleDict()
        self.log_vars = nn.ParameterDict()

    def add_task(self, task) -> None:
        self.heads[task.name] = TaskHead(self.hidden, task.outputs)
        self.log_vars[task.name] = nn.Parameter(torch.zeros(()))

    def task_loss(self, task, x, target):
        raw = task.loss(self.heads[task.name](self.trunk(x)), target)
        s = self.log_vars[task.name]
        return torch.exp(-s) * raw + 0.5 * s
