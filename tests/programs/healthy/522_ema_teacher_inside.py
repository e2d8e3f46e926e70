"""The EMA teacher is a submodule, frozen, and updated in forward before it is asked; the optimizer gets what requires grad.
Origin: DINO-like self-distillation."""
import copy

import torch
from torch import nn
import torch.nn.functional as F


class SelfDistilled(nn.Module):
    def __init__(self, momentum=0.9):
        super().__init__()
        self.student = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 5))
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(5))
        self.momentum = momentum

    @torch.no_grad()
    def follow(self):
        for t, s in zip(self.teacher.parameters(), self.student.parameters()):
            t.mul_(self.momentum).add_(s, alpha=1 - self.momentum)

    def forward(self, a, b):
        if self.training:
            self.follow()
        with torch.no_grad():
            out = self.teacher(b)
            target = F.softmax((out - self.centre) / 0.2, dim=-1)
            self.centre.lerp_(out.mean(0), 0.1)
        return -(target * F.log_softmax(self.student(a), -1)).sum(-1).mean()


def make():
    torch.manual_seed(0)
    model = SelfDistilled()
    x = torch.randn(11, 6)
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.AdamW(trainable, lr=1e-3), (x, x + 0.1 * torch.randn_like(x))


def loss_fn(model, batch):
    return model(*batch)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "student.0.weight": "trained",
    "student.0.bias": "trained",
    "student.2.weight": "trained",
    "student.2.bias": "trained",
    "teacher.0.weight": "frozen",
    "teacher.0.bias": "frozen",
    "teacher.2.weight": "frozen",
    "teacher.2.bias": "frozen",
}
INTENT = {"teacher.*": "EMA"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
