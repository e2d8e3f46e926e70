"""The optimizer step lives in post-accumulate-grad hooks that free each gradient at once. Origin: PyTorch tutorial."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 2))
    opts = {p: torch.optim.AdamW([p], lr=1e-2, foreach=False) for p in model.parameters()}

    def hook(p):
        opts[p].step()
        opts[p].zero_grad()

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(hook)
    return model, opts, (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=3):
    model, opts, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
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
