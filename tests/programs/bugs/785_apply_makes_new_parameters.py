"""The model's own `to` makes its layers anew for the wanted type, after the optimizer has got the old ones."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x))

    def to(self, dtype):
        self.head = nn.Linear(6, 1, dtype=dtype)  # <-- culprit
        return super().to(dtype)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    model.to(torch.float32)
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"body.0.weight": "trained", "body.0.bias": "trained", "head.weight": "excluded", "head.bias": "excluded"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
