"""Binarised weights and activations with custom straight-through Functions; latent weights clipped after the step. Origin: BinaryConnect."""
import torch
from torch import nn
import torch.nn.functional as F


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1)


class BinaryLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, Sign.apply(self.weight), self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(BinaryLinear(6, 8), nn.Hardtanh(), BinaryLinear(8, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(10, 6), torch.randint(0, 2, (10,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for m in model:
            if isinstance(m, BinaryLinear):
                m.weight.data.clamp_(-1, 1)
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
