"""Healthy: a linear probe first; then the backbone is thawed from the top and its blocks are added to the optimizer with smaller rates."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(5, 5), nn.Tanh()) for _ in range(2))
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def make():
    torch.manual_seed(0)
    model = Net()
    model.blocks.requires_grad_(False)
    return model, torch.optim.SGD(model.head.parameters(), lr=0.1, momentum=0.9), (torch.randn(12, 5), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=12):
    model, optimizer, batch = make()
    waiting, losses = list(reversed(model.blocks)), []
    for step in range(steps):
        if step and step % 4 == 0 and waiting:
            block = waiting.pop(0).requires_grad_(True)
            optimizer.add_param_group({"params": block.parameters(), "lr": optimizer.param_groups[-1]["lr"] / 3})
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {
    **{f"blocks.{k}.0.{n}": "trained" for k in (0, 1) for n in ("weight", "bias")},
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
