"""The student's features are computed in the block without gradients that is there for the teacher."""

import torch
from torch import nn


class Distilled(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.teacher = nn.Linear(d, d).requires_grad_(False)
        self.student, self.out = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        with torch.no_grad():
            wanted = torch.tanh(self.teacher(x))
            found = torch.tanh(self.student(x))  # <-- culprit
        return self.out(found), wanted


def make():
    torch.manual_seed(0)
    model = Distilled()
    parameters = [*model.student.parameters(), *model.out.parameters()]
    return model, torch.optim.Adam(parameters, lr=1e-2), (torch.randn(12, 6), None)


def loss_fn(model, batch):
    found, wanted = model(batch[0])
    return (found - wanted).square().mean()


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    **{f"{part}.{n}": "frozen" for part in ("teacher",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "trained" for part in ("out",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("student",) for n in ("weight", "bias")},
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
