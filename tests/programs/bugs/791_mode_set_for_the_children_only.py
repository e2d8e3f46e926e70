"""The model's own `train` is written out by hand, and sets the children's mode alone: the model itself was put in evaluation mode before."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)
        self.noise = nn.Linear(6, 1)

    def train(self, mode=True):  # <-- culprit
        for child in self.children():
            child.train(mode)
        return self

    def eval(self):
        self.training = False
        return self.train(False)

    def forward(self, x):
        hidden = self.body(x)
        if not self.training:
            return self.head(hidden)
        return self.head(hidden) + self.noise(torch.randn_like(hidden))


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
        model.eval()
        with torch.no_grad():
            loss_fn(model, batch)
        model.train()
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"body.0.weight": "trained", "body.0.bias": "trained", "head.weight": "trained", "head.bias": "trained", "noise.weight": "unreachable", "noise.bias": "unreachable"}
CAUSE = "unused"

if __name__ == "__main__":
    train()
