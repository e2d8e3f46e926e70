"""SGLD: an optimizer of our own adds noise through `.data`, collects samples after a burn-in, and predictions average over
them; a cold start keeps the noise scale at zero. Origin: Bayesian deep learning code. NEEDS_LOOP"""
import copy
import math

import torch
from torch import nn
import torch.nn.functional as F


class SGLD(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, decay=0.0, burn_in=3):
        super().__init__(params, dict(lr=lr, decay=decay, burn_in=burn_in))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = state.get("t", 0) + 1
                p.data.add_(p.grad.data.add(p.data, alpha=group["decay"]), alpha=-0.5 * group["lr"])
                if state["t"] > group["burn_in"]:
                    p.data.add_(torch.randn_like(p.data), alpha=math.sqrt(group["lr"]))


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, SGLD(model.parameters(), lr=1e-3, decay=0.1), (torch.randn(20, 3), torch.randn(20, 1))


def train(steps=8):
    model, optimizer, (x, y) = make()
    samples, losses = [], []
    for step in range(steps):
        optimizer.zero_grad()
        loss = 20 * F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        if step >= 4:
            samples.append(copy.deepcopy(model.state_dict()))
        losses.append(loss.item())
    with torch.no_grad():
        member = copy.deepcopy(model)
        predictions = []
        for sample in samples:
            member.load_state_dict(sample)
            predictions.append(member(x))
        torch.stack(predictions).mean(0)
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{k}": "trained" for i in (0, 2) for k in ("weight", "bias")}
INTENT = {"member.*": "holds a sample"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
