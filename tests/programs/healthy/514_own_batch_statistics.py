"""A batch renorm of one's own: statistics kept under no_grad in buffers, correction factors detached, fed by both.
Origin: Ioffe 2017."""
import torch
from torch import nn
import torch.nn.functional as F


class Renorm(nn.Module):
    def __init__(self, c, momentum=0.1):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))
        self.register_buffer("mean", torch.zeros(c))
        self.register_buffer("std", torch.ones(c))
        self.momentum = momentum

    def forward(self, x):
        mean, std = x.mean(0), x.std(0) + 1e-3
        r = (std.detach() / self.std).clamp(1 / 3, 3)
        d = ((mean.detach() - self.mean) / self.std).clamp(-3, 3)
        out = (x - mean) / std * r + d
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.std.lerp_(std, self.momentum)
        return self.gamma * out + self.beta


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8, bias=False), Renorm(8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(14, 5), torch.randint(0, 2, (14,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "1.gamma": "trained",
    "1.beta": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
