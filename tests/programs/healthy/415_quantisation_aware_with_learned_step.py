"""Healthy: quantisation-aware training with a learned step size; rounding passes the gradient straight through by the detach trick."""
import torch
from torch import nn


def round_through(x):
    return x + (x.round() - x).detach()


class QuantLinear(nn.Linear):
    def __init__(self, d_in, d_out, bits=4):
        super().__init__(d_in, d_out)
        self.top = 2 ** (bits - 1) - 1
        self.step_size = nn.Parameter(2 * self.weight.detach().abs().mean() / self.top**0.5)

    def forward(self, x):
        scaled = (self.weight / self.step_size).clamp(-self.top - 1, self.top)
        return nn.functional.linear(x, round_through(scaled) * self.step_size, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(QuantLinear(6, 12), nn.ReLU(), QuantLinear(12, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(10, 6), torch.randint(0, 3, (10,)))


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


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 2) for n in ("weight", "bias", "step_size")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
