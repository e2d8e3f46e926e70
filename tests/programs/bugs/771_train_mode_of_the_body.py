"""The model's own `train` hands the mode to the body, and forgets the model: what it does in training only, its auxiliary head, stays out after the first validation."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)
        self.beside = nn.Linear(6, 1)

    def forward(self, x):
        hidden = self.body(x)
        if self.training:
            return self.head(hidden) + 0.3 * self.beside(hidden)
        return self.head(hidden)

    def eval(self):
        self.training = False
        return self

    def train(self, mode=True):  # <-- culprit
        self.body.train(mode)
        return self


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    model.eval()
    with torch.no_grad():
        losses.append(loss_fn(model, batch).item())
    for number in range(steps):
        model.train()
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"body.0.weight": "trained", "body.0.bias": "trained", "head.weight": "trained", "head.bias": "trained", "beside.weight": "unreachable", "beside.bias": "unreachable"}
CAUSE = "unused"

if __name__ == "__main__":
    train()
