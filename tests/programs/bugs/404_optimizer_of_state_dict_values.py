"""The optimizer is given `model.state_dict().values()`: detached tensors that share the storage, and never get a gradient.
Origin: made up after "difference between parameters() and state_dict()" threads."""
import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(6, 10)
        self.out = nn.Linear(10, 3)

    def forward(self, x):
        return self.out(nn.functional.silu(self.hidden(x)))


def make():
    torch.manual_seed(0)
    model = MLP()
    weights = model.state_dict().values()  # <-- culprit
    optimizer = torch.optim.Adam(weights, lr=1e-2)  # <-- culprit
    return model, optimizer, (torch.randn(8, 6), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {"hidden.weight": "excluded", "hidden.bias": "excluded", "out.weight": "excluded", "out.bias": "excluded", "!hidden.weight": "stale"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
