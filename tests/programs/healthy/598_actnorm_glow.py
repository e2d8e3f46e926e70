"""A small flow: ActNorm sets itself from its first batch through `.data`, an invertible mixing keeps its permutation and
signs as buffers, the coupling's last layer starts at zero. Origin: Glow (Kingma & Dhariwal 2018)."""
import torch
from torch import nn
import torch.nn.functional as F


class ActNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.loc, self.log_scale = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))
        self.register_buffer("ready", torch.tensor(0, dtype=torch.uint8))

    def forward(self, x):
        if self.training and self.ready.item() == 0:
            with torch.no_grad():
                self.loc.data.copy_(-x.mean(0))
                self.log_scale.data.copy_(-torch.log(x.std(0) + 1e-6))
            self.ready.fill_(1)
        return (x + self.loc) * self.log_scale.exp(), self.log_scale.sum()


class Mixing(nn.Module):
    def __init__(self, d):
        super().__init__()
        p, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(d, d))[0])
        self.register_buffer("p", p)
        self.register_buffer("sign", upper.diag().sign())
        self.register_buffer("mask", torch.ones(d, d).tril(-1))
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_s = nn.Parameter(upper.diag().abs().log())

    def forward(self, x):
        lower = self.lower * self.mask + torch.eye(len(self.p))
        upper = self.upper * self.mask.t() + torch.diag(self.sign * self.log_s.exp())
        return x @ (self.p @ lower @ upper).t(), self.log_s.sum()


class Coupling(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d // 2, 12), nn.ReLU(), nn.Linear(12, d))
        self.net[-1].weight.data.zero_()
        self.net[-1].bias.data.zero_()

    def forward(self, x):
        a, b = x.chunk(2, 1)
        log_s, t = self.net(a).chunk(2, 1)
        s = torch.sigmoid(log_s + 2)
        return torch.cat([a, (b + t) * s], 1), s.log().sum(1)


class Flow(nn.Module):
    def __init__(self, d=4, depth=2):
        super().__init__()
        self.steps = nn.ModuleList(m(d) for _ in range(depth) for m in (ActNorm, Mixing, Coupling))

    def forward(self, x):
        total = x.new_zeros(len(x))
        for step in self.steps:
            x, log_det = step(x)
            total = total + log_det
        return x, total


def make():
    torch.manual_seed(0)
    flow = Flow()
    return flow, torch.optim.Adamax(flow.parameters(), lr=1e-2), torch.randn(32, 4) * 2 + 1


def loss_fn(flow, x):
    z, log_det = flow(x)
    return (0.5 * z.square().sum(1) - log_det).mean()


def train(steps=4):
    flow, optimizer, x = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(flow, x)
        loss.backward()
        nn.utils.clip_grad_value_(flow.parameters(), 5)
        optimizer.step()
        losses.append(loss.item())
    return flow, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
