"""Batch norm is called functionally, to switch statistics per domain. weight= and bias= were not passed, so the affine part of every
norm is never used.
Origin: domain-specific batch norm implementations, "bn.weight.grad is None"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class DomainNorm(nn.Module):
    def __init__(self, c, domains=2):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(c))
        self.bias = nn.Parameter(torch.zeros(c))
        self.register_buffer("mean", torch.zeros(domains, c))
        self.register_buffer("var", torch.ones(domains, c))

    def forward(self, x, domain):
        return F.batch_norm(x, self.mean[domain], self.var[domain], training=self.training)  # <-- culprit


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1, self.norm = nn.Linear(6, 8, bias=False), DomainNorm(8)
        self.lin2 = nn.Linear(8, 3)

    def forward(self, x, domain):
        return self.lin2(F.elu(self.norm(self.lin1(x), domain)))


def make():
    torch.manual_seed(0)
    net = Net()
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    return net, opt, [(torch.randn(9, 6), torch.randint(0, 3, (9,)), d) for d in range(2)]


def loss_fn(net, batches):
    return sum(F.cross_entropy(net(x, d), y) for x, y, d in batches) / len(batches)


def train(steps=3):
    net, opt, batches = make()
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, batches)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, losses


KIND = "forward"
EXPECT = {
    "lin1.weight": "trained",
    "norm.weight": "unreachable",
    "norm.bias": "unreachable",
    "lin2.weight": "trained",
    "lin2.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
