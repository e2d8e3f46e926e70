"""The model's own `parameters` hands out its adapters, of which there are none yet: PyTorch refuses the optimizer."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)
        self.adapters = []

    def forward(self, x):
        return self.head(self.body(x))

    def parameters(self, recurse=True):  # <-- culprit
        for adapter in self.adapters:  # <-- culprit
            yield from adapter.parameters()


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


KIND = "forward"
EXPECT = {n: "excluded" for n in ("body.0.weight", "body.0.bias", "head.weight", "head.bias")}
RAISES = "ValueError"
CAUSE = "other"

if __name__ == "__main__":
    train()
