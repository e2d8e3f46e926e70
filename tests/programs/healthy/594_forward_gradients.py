"""No backward at all: a directional derivative in forward mode, times its direction, is written into `.grad`.
Origin: Baydin et al. 2022, forward gradients. NEEDS_LOOP"""
import torch
from torch import nn
from torch.func import functional_call, jvp
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(16, 4), torch.randn(16, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, (x, y) = make()
    losses = []
    for _ in range(steps):
        values = {n: p.detach() for n, p in model.named_parameters()}
        tangents = {n: torch.randn_like(p) for n, p in values.items()}
        loss, slope = jvp(lambda p: F.mse_loss(functional_call(model, p, (x,)), y), (values,), (tangents,))
        for name, parameter in model.named_parameters():
            parameter.grad = slope * tangents[name]
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
