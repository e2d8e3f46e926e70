"""Distillation with a teacher that is part of the model, in train mode, under no_grad; its parameters require grad but no optimizer holds them. Origin: mean-teacher and KD scripts."""
import torch
from torch import nn
import torch.nn.functional as F


class KD(nn.Module):
    def __init__(self):
        super().__init__()
        self.teacher = nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.1), nn.ReLU(), nn.Linear(16, 3))
        self.student = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, x):
        with torch.no_grad():
            t = self.teacher(x)
        return self.student(x), t


def make():
    torch.manual_seed(0)
    m = KD()
    return m, torch.optim.Adam(m.student.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randint(0, 3, (8,)))


def loss_fn(m, b):
    s, t = m(b[0])
    return F.cross_entropy(s, b[1]) + F.kl_div(F.log_softmax(s / 2, 1), F.softmax(t / 2, 1), reduction="batchmean")


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
    "teacher.0.weight": "unreachable",
    "teacher.0.bias": "unreachable",
    "teacher.3.weight": "unreachable",
    "teacher.3.bias": "unreachable",
    "student.0.weight": "trained",
    "student.0.bias": "trained",
    "student.2.weight": "trained",
    "student.2.bias": "trained",
}
CAUSE = "healthy"
INTENT = {'teacher.*': 'the teacher'}

if __name__ == "__main__":
    train()
