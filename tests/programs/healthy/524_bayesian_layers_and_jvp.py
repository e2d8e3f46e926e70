"""Weights are sampled by rsample from learnt means and deviations; a directional penalty is computed in forward mode.
Origin: Bayes by backprop; forward-mode AD."""
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
import torch.nn.functional as F


class BayesLinear(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.mu = nn.Parameter(torch.randn(o, i) * 0.2)
        self.rho = nn.Parameter(torch.full((o, i), -3.0))

    def posterior(self):
        return Normal(self.mu, F.softplus(self.rho))

    def forward(self, x):
        return F.linear(x, self.posterior().rsample())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = BayesLinear(4, 7), BayesLinear(7, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))

    def kl(self):
        return sum(kl_divergence(m.posterior(), Normal(0.0, 1.0)).sum() for m in (self.a, self.b))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    x, y = batch
    out, slope = torch.func.jvp(model, (x,), (torch.ones_like(x),))
    return F.mse_loss(out, y) + 1e-2 * slope.pow(2).mean() + 1e-3 * model.kl()


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
    "a.mu": "trained",
    "a.rho": "trained",
    "b.mu": "trained",
    "b.rho": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
