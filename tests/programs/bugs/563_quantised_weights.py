"""Weights are quantised in forward with torch.quantize_per_tensor and dequantised: the real thing, not the fake one that lets gradients pass.
Origin: "quantize_per_tensor has no grad_fn" issue; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class QLinear(nn.Linear):
    def forward(self, x):
        scale = float(self.weight.detach().abs().max()) / 127
        q = torch.quantize_per_tensor(self.weight, scale, 0, torch.qint8)  # <-- culprit
        return F.linear(x, q.dequantize(), self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(QLinear(6, 8), nn.ReLU(), QLinear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


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


KIND = "forward"
EXPECT = {
    "0.weight": "unreachable",
    "2.weight": "unreachable",
    "0.bias": "trained",
    "2.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
