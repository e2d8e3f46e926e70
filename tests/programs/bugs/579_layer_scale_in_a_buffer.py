"""LayerScale from a paper, with the scale at zero and in a buffer. The branch it scales never counts.
Origin: LayerScale reimplementation, "residual branch weights do not move"; retold."""
import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.branch = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU())
        self.register_buffer("gamma", torch.zeros(d))  # <-- culprit

    def forward(self, x):
        return x + self.gamma * self.branch(x)


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp, self.res, self.out = nn.Linear(4, d), Residual(d), nn.Linear(d, 3)

    def forward(self, x):
        return self.out(self.res(self.inp(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 4), torch.randint(0, 3, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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


KIND = "registration"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "res.branch.0.weight": "blocked",
    "res.branch.0.bias": "blocked",
    "res.branch.1.weight": "blocked",
    "res.branch.1.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
