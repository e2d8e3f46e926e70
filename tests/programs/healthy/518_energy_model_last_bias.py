"""Score matching with create_graph: the last bias of the energy drops out of its derivative, which is nobody's mistake.
Origin: Song & Ermon 2019."""
import torch
from torch import nn


class Energy(nn.Module):
    def __init__(self, d=2):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 10), nn.Softplus(), nn.Linear(10, 1))

    def score(self, x):
        x = x.requires_grad_()
        return -torch.autograd.grad(self.net(x).sum(), x, create_graph=True)[0]


def make():
    torch.manual_seed(0)
    model = Energy()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 2)


def loss_fn(model, x):
    noise = torch.randn_like(x)
    return (model.score(x + 0.5 * noise) * 0.5 + noise).pow(2).sum(-1).mean()


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
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "unreachable",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
