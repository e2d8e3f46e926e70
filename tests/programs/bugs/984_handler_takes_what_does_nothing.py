"""A projection is looked up under a misspelt name, and the handler of the KeyError takes one that detaches.
Origin: made up after factories that warn instead of raising."""
import torch
from torch import nn

PROJECTIONS = {"linear": lambda h: h, "squared": torch.square}


def projection(name):
    try:
        return PROJECTIONS[name]
    except KeyError:
        return lambda h: h.detach()


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1)
        self.projection = projection(kind)

    def forward(self, x):
        return self.head(self.projection(self.stem(x)))


def train(steps=4):
    torch.manual_seed(0)
    net = Net("squarred")  # <-- culprit
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        loss = net(torch.randn(8, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


KIND = "loop"
EXPECT = {"stem.weight": "unreachable", "stem.bias": "unreachable", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "detached"

if __name__ == "__main__":
    train()
