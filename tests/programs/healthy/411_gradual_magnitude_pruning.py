"""Healthy: masks tighten as training goes on; pruned weights are set to zero after each step and their gradients masked, the rest
trains. NEEDS_LOOP"""
import torch
from torch import nn


class Pruner:
    def __init__(self, model, final=0.6, rounds=4):
        self.weights = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
        self.masks = [torch.ones_like(w) for w in self.weights]
        self.final, self.rounds, self.round = final, rounds, 0

    @torch.no_grad()
    def tighten(self):
        self.round += 1
        sparsity = self.final * min(1.0, self.round / self.rounds)
        for w, mask in zip(self.weights, self.masks):
            mask.copy_((w.abs() > w.abs().flatten().quantile(sparsity)).float())
            w.mul_(mask)

    def mask_gradients(self):
        for w, mask in zip(self.weights, self.masks):
            w.grad.mul_(mask)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=5):
    model, optimizer, batch = make()
    pruner = Pruner(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        pruner.mask_gradients()
        optimizer.step()
        pruner.tighten()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
