"""The losses are computed elsewhere, from the parts of what the model gives; one part is read twice."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.early, self.late = nn.Linear(d, d), nn.Linear(d, 3), nn.Linear(d, 3)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        early = self.early(h)
        return {"late": self.late(h), "early": early}


def losses_of(out, y):
    late = nn.functional.cross_entropy(out["late"], y)
    early = nn.functional.cross_entropy(out["late"], y)  # <-- culprit
    return late + 0.3 * early


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    out = model(x)
    return losses_of(out, y)


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
    **{f"{part}.{n}": "trained" for part in ("body", "late") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("early",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
