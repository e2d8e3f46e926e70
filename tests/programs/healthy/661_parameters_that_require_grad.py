"""The model's own `parameters` hands out what is not frozen."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)
        for p in self.body.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        return self.head(self.body(x))

    def parameters(self, recurse=True):
        return (p for p in super().parameters(recurse) if p.requires_grad)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"body.0.weight": "frozen", "body.0.bias": "frozen", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "healthy"
INTENT = {"body.*": "frozen on purpose"}

if __name__ == "__main__":
    train()
