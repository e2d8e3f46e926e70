"""Optimizer-in-backward: the hook clears the gradient before it steps.
Origin: made up after the tutorial "How to save memory by fusing the optimizer step into the backward pass"."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 2))
    opts = {p: torch.optim.Adam([p], lr=1e-2, foreach=False) for p in model.parameters()}

    def hook(p):
        opts[p].zero_grad(set_to_none=False)  # <-- culprit
        opts[p].step()

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(hook)
    return model, list(opts.values()), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, _, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
