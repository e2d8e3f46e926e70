"""Fake quantisation of the weights by round(), with a learnable step size that is treated the same way, and no
straight-through estimator: the derivative of round is zero everywhere.
Origin: quantisation aware training from scratch, "gradient of torch.round is zero" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class QuantLinear(nn.Module):
    def __init__(self, n_in, n_out, bits=4):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        nn.init.kaiming_uniform_(self.weight, a=5 ** 0.5)
        self.levels = 2 ** (bits - 1) - 1

    def quantised(self):
        step = self.weight.detach().abs().max() / self.levels
        return torch.round(self.weight / step) * step  # <-- culprit

    def forward(self, x):
        return F.linear(x, self.quantised(), self.bias)


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.q1 = QuantLinear(8, 12)
        self.bn = nn.LayerNorm(12)
        self.q2 = QuantLinear(12, 3)

    def forward(self, x):
        return self.q2(F.relu(self.bn(self.q1(x))))


def make():
    torch.manual_seed(0)
    model = QNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, (torch.randn(18, 8), torch.randint(0, 3, (18,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "q1.weight": "blocked",
    "q1.bias": "trained",
    "bn.weight": "trained",
    "bn.bias": "trained",
    "q2.weight": "blocked",
    "q2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
