"""Gradients live as views in one flat buffer that is zeroed in place and clipped as a whole; parameters are views of one flat
tensor which alone the optimizer holds. Origin: flat-parameter trainers. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Flat:
    def __init__(self, model):
        parameters = list(model.parameters())
        self.data = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.grad = torch.zeros_like(self.data)
        at = 0
        for p in parameters:
            end = at + p.numel()
            p.data = self.data[at:end].view_as(p)
            p.grad = self.grad[at:end].view_as(p)
            at = end
        self.master = nn.Parameter(self.data)
        self.master.grad = self.grad


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    flat = Flat(model)
    model.flat = (flat,)
    return model, torch.optim.Adam([flat.master], lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    (flat,) = model.flat
    losses = []
    for _ in range(steps):
        flat.grad.zero_()
        loss = loss_fn(model, batch)
        loss.backward()
        flat.grad.mul_((1.0 / flat.grad.norm()).clamp(max=1.0))
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"0.weight": "trained", "0.bias": "trained", "2.weight": "trained", "2.bias": "trained"}
INTENT = {"*master*": "the flat tensor"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
