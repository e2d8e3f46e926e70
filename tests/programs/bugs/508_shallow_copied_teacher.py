"""Self-distillation: the teacher is copy.copy of the student, and is frozen. A shallow copy shares the parameters, so the student's
encoder was frozen with it.
Origin: "I froze the copy and my model stopped learning" on stackoverflow; retold."""
import copy

import torch
from torch import nn
import torch.nn.functional as F


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(7, 10), nn.ReLU(), nn.Linear(10, 6))
        self.predictor = nn.Linear(6, 6)

    def forward(self, x):
        return self.predictor(self.encoder(x))


def make_teacher(encoder):
    teacher = copy.copy(encoder)  # <-- culprit
    for p in teacher.parameters():
        p.requires_grad_(False)  # <-- culprit
    return teacher.eval()


def make():
    torch.manual_seed(0)
    student = Student()
    teacher = make_teacher(student.encoder)
    student.teachers = [teacher]
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-3)
    x = torch.randn(12, 7)
    return student, optimizer, (x, x + 0.1 * torch.randn_like(x))


def loss_fn(student, batch):
    a, b = batch
    with torch.no_grad():
        target = student.teachers[0](b)
    return 1 - F.cosine_similarity(student(a), target, dim=-1).mean()


def train(steps=3):
    student, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(student, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return student, losses


KIND = "registration"
EXPECT = {
    "encoder.0.weight": "frozen",
    "encoder.0.bias": "frozen",
    "encoder.2.weight": "frozen",
    "encoder.2.bias": "frozen",
    "predictor.weight": "trained",
    "predictor.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
