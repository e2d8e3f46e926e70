"""Fake quantisation with learnable step size (LSQ) and torch's own per-tensor fake quantise for the activations.
Origin: quantisation-aware training."""
import torch
from torch import nn
import torch.nn.functional as F


class LSQLinear(nn.Linear):
    def __init__(self, i, o):
        super().__init__(i, o)
        self.step = nn.Parameter(self.weight.detach().abs().mean() * 2 / 7**0.5)

    def forward(self, x):
        v = (self.weight / self.step).clamp(-8, 7)
        rounded = (v.round() - v).detach() + v
        x = torch.fake_quantize_per_tensor_affine(x, 0.05, 0, -128, 127)
        return F.linear(x, rounded * self.step, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(LSQLinear(5, 8), nn.ReLU(), LSQLinear(8, 3))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(12, 5), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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
    "0.weight": "trained",
    "0.bias": "trained",
    "0.step": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
    "2.step": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
