"""The optimizer's own `zero_grad` clears the running averages, and leaves the gradients."""
import torch
from torch import nn


class Averaging(torch.optim.SGD):
    def zero_grad(self, set_to_none=True):  # <-- culprit
        for state in self.state.values():
            state.pop("average", None)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x))

    def unused(self):
        return None


def make():
    torch.manual_seed(0)
    model = Net()
    return model, Averaging(model.parameters(), lr=0.01), (torch.randn(8, 4), torch.randn(8, 1))


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


KIND = "loop"
EXPECT = {n: "trained" for n in ("body.0.weight", "body.0.bias", "head.weight", "head.bias")}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
