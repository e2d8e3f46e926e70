"""Lookahead as an Optimizer subclass that interpolates back every k steps. Origin: pytorch-optimizer collections."""
import torch
from torch import nn
import torch.nn.functional as F


from collections import defaultdict


class Lookahead(torch.optim.Optimizer):
    def __init__(self, base, k=2, alpha=0.5):
        self.base, self.k, self.alpha = base, k, alpha
        self.param_groups, self.defaults = base.param_groups, base.defaults
        self.state = defaultdict(dict)
        self.count = 0
        self._zero_grad_profile_name = "Lookahead"
        self._optimizer_step_pre_hooks = {}
        self._optimizer_step_post_hooks = {}

    def step(self, closure=None):
        loss = self.base.step(closure)
        self.count += 1
        for group in self.param_groups:
            for p in group["params"]:
                if "slow" not in self.state[p]:
                    self.state[p]["slow"] = p.data.clone()
                elif self.count % self.k == 0:
                    slow = self.state[p]["slow"]
                    slow.add_(p.data - slow, alpha=self.alpha)
                    p.data.copy_(slow)
        return loss


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Lookahead(torch.optim.RAdam(model.parameters(), lr=1e-2)), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=6):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.base.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
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
