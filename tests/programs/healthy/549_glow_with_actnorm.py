"""A flow with actnorm that is initialised from the first batch, an invertible matrix by LU with fixed signs, and couplings that start at zero.
Origin: Glow, reduced."""
import torch
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.loc, self.log_scale = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, x):
        if not self.ready:
            with torch.no_grad():
                self.loc.copy_(-x.mean(0))
                self.log_scale.copy_(-(x.std(0) + 1e-6).log())
                self.ready.fill_(True)
        return (x + self.loc) * self.log_scale.exp(), self.log_scale.sum().expand(len(x))


class InvertibleLinear(nn.Module):
    def __init__(self, d):
        super().__init__()
        p, l, u = torch.linalg.lu(torch.linalg.qr(torch.randn(d, d))[0])
        self.register_buffer("p", p)
        self.register_buffer("sign", torch.sign(u.diagonal()))
        self.lower, self.upper = nn.Parameter(l.tril(-1)), nn.Parameter(u.triu(1))
        self.log_s = nn.Parameter(u.diagonal().abs().log())

    def forward(self, x):
        l = self.lower.tril(-1) + torch.eye(len(self.log_s))
        u = self.upper.triu(1) + torch.diag(self.sign * self.log_s.exp())
        return x @ (self.p @ l @ u).T, self.log_s.sum().expand(len(x))


class Coupling(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d // 2, 8), nn.ReLU(), nn.Linear(8, d))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        a, b = x.chunk(2, -1)
        s, t = self.net(a).chunk(2, -1)
        s = 2 * torch.tanh(s / 2)
        return torch.cat([a, b * s.exp() + t], -1), s.sum(-1)


class Glow(nn.Module):
    def __init__(self, d=4, n=2):
        super().__init__()
        self.steps = nn.ModuleList(m for _ in range(n) for m in (ActNorm(d), InvertibleLinear(d), Coupling(d)))

    def forward(self, x):
        total = torch.zeros(len(x))
        for step in self.steps:
            x, log_det = step(x)
            total = total + log_det
        return -0.5 * x.square().sum(-1) + total


def make():
    torch.manual_seed(0)
    model = Glow()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.randn(32, 4) @ torch.randn(4, 4) + 1


def loss_fn(model, x):
    return -model(x).mean()


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
    "steps.0.loc": "trained",
    "steps.0.log_scale": "trained",
    "steps.1.lower": "trained",
    "steps.1.upper": "trained",
    "steps.1.log_s": "trained",
    "steps.2.net.0.weight": "trained",
    "steps.2.net.0.bias": "trained",
    "steps.2.net.2.weight": "trained",
    "steps.2.net.2.bias": "trained",
    "steps.3.loc": "trained",
    "steps.3.log_scale": "trained",
    "steps.4.lower": "trained",
    "steps.4.upper": "trained",
    "steps.4.log_s": "trained",
    "steps.5.net.0.weight": "trained",
    "steps.5.net.0.bias": "trained",
    "steps.5.net.2.weight": "trained",
    "steps.5.net.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
