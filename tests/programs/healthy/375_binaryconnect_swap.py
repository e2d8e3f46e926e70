"""BinaryConnect: binary weights are swapped in for forward and backward, the real ones put back before the step. Origin: BinaryConnect / XNOR-Net code."""
import torch
from torch import nn
import torch.nn.functional as F


class Bin:
    def __init__(self, model):
        self.targets = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]

    def binarise(self):
        self.saved = [t.data.clone() for t in self.targets]
        for t in self.targets:
            t.data.copy_(t.data.sign() * t.data.abs().mean())

    def restore(self):
        for t, s in zip(self.targets, self.saved):
            t.data.copy_(s)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=4):
    model, optimizer, batch = make()
    binop = Bin(model)
    losses = []
    for _ in range(steps):
        binop.binarise()
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        binop.restore()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
