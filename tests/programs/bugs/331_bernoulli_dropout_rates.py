"""Learnable dropout rates: the mask is drawn with torch.bernoulli from sigmoid(p). bernoulli accepts the probabilities and has
a backward, which returns zeros.
Origin: concrete dropout questions ("gradient of torch.bernoulli is always zero"); retold."""
import torch
from torch import nn


class LearnedDropout(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.theta = nn.Parameter(torch.full((width,), 1.0))

    def forward(self, x):
        keep = torch.sigmoid(self.theta)
        mask = torch.bernoulli(keep.expand_as(x))  # <-- culprit
        return x * mask


class Net(nn.Module):
    def __init__(self, d=6, h=16):
        super().__init__()
        self.fc1 = nn.Linear(d, h)
        self.drop1 = LearnedDropout(h)
        self.fc2 = nn.Linear(h, h)
        self.drop2 = LearnedDropout(h)
        self.fc3 = nn.Linear(h, 1)

    def forward(self, x):
        x = self.drop1(torch.tanh(self.fc1(x)))
        x = self.drop2(torch.tanh(self.fc2(x)))
        return self.fc3(x)


def make():
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    return net, optimizer, (torch.randn(32, 6), torch.randn(32, 1))


def loss_fn(net, batch):
    x, y = batch
    return nn.functional.mse_loss(net(x), y)


def train(steps=4):
    net, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


KIND = "forward"
EXPECT = {
    "fc1.weight": "trained",
    "fc1.bias": "trained",
    "drop1.theta": "blocked",
    "fc2.weight": "trained",
    "fc2.bias": "trained",
    "drop2.theta": "blocked",
    "fc3.weight": "trained",
    "fc3.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
