"""Mean teacher without a copy: `teacher = student`, and freezing the teacher freezes both.
Origin: made up after "element 0 of tensors does not require grad" questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    teacher = student  # <-- culprit
    for p in teacher.parameters():
        p.requires_grad = False  # <-- culprit
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3)
    return student, optimizer, (torch.randn(8, 5), torch.randint(0, 3, (8,)), teacher)


def loss_fn(student, batch):
    x, y, teacher = batch
    with torch.no_grad():
        soft = teacher(x).softmax(-1)
    out = student(x)
    return nn.functional.cross_entropy(out, y) + nn.functional.cross_entropy(out, soft)


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


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {n: "frozen" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
