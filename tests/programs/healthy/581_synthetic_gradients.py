"""Decoupled neural interfaces: each block is driven by a predicted gradient, the predictor learns from the true one.
Origin: Jaderberg et al. 2017. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Decoupled(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.lower = nn.Sequential(nn.Linear(4, d), nn.Tanh())
        self.upper = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, 2))
        self.predictor = nn.Linear(d, d)
        nn.init.zeros_(self.predictor.weight)
        nn.init.zeros_(self.predictor.bias)


def make():
    torch.manual_seed(0)
    model = Decoupled()
    optimizers = [torch.optim.Adam(part.parameters(), lr=1e-2) for part in (model.lower, model.upper, model.predictor)]
    return model, optimizers, (torch.randn(12, 4), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return F.cross_entropy(model.upper(model.lower(batch[0]).detach().requires_grad_()), batch[1])


def train(steps=6):
    model, (low, up, pred), (x, y) = make()
    losses = []
    for _ in range(steps):
        h = model.lower(x)
        low.zero_grad()
        with torch.no_grad():
            guess = model.predictor(h)
        h.backward(guess)
        low.step()

        copy = h.detach().requires_grad_()
        loss = F.cross_entropy(model.upper(copy), y)
        up.zero_grad()
        loss.backward()
        up.step()

        pred.zero_grad()
        F.mse_loss(model.predictor(h.detach()), copy.grad, reduction="sum").backward()
        pred.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
