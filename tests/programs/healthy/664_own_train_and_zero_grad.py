"""The model's own `train` keeps its norm in evaluation mode, and its own `zero_grad` counts; both call torch's."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.norm(self.body(x)))

    rounds = 0

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self

    def zero_grad(self, set_to_none=True):
        self.rounds += 1
        super().zero_grad(set_to_none)

    def children(self):
        yield from sorted(super().children(), key=lambda child: type(child).__name__)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD([{'params': child.parameters()} for child in model.children()], lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for number in range(steps):
        model.train()
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("body.0.weight", "body.0.bias", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
