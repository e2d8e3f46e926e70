"""Healthy: after six steps a block is added to model and optimizer; it is faded in from weight zero. NEEDS_LOOP"""
import torch
from torch import nn


class Growing(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(5, 5)])
        self.head = nn.Linear(5, 2)
        self.alpha = 1.0

    def grow(self):
        self.blocks.append(nn.Linear(5, 5))
        self.alpha = 0.0
        return self.blocks[-1]

    def forward(self, x):
        for block in self.blocks[:-1]:
            x = torch.tanh(block(x))
        x = self.alpha * torch.tanh(self.blocks[-1](x)) + (1 - self.alpha) * x
        return self.head(x)


def make():
    torch.manual_seed(0)
    model = Growing()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=14):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        if step == 6:
            optimizer.add_param_group({"params": model.grow().parameters(), "lr": 1e-2})
        model.alpha = min(1.0, model.alpha + 0.1) if step > 8 else model.alpha
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("blocks.0.weight", "blocks.0.bias", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
