"""Regression of log returns that are mostly negative, with a ReLU after the last layer too, and its bias set to the mean of the
targets: no sample gets through.
Origin: "model always predicts 0" answers (no activation after the last layer of a regressor); retold."""
import torch
from torch import nn


def mlp(sizes, activation=nn.ReLU):
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        layers.append(nn.Linear(n_in, n_out))
        layers.append(activation())  # <-- culprit
    return nn.Sequential(*layers)


class ReturnModel(nn.Module):
    def __init__(self, d, mean_target):
        super().__init__()
        self.net = mlp([d, 10, 10, 1])
        with torch.no_grad():
            self.net[4].bias.fill_(mean_target)  # <-- culprit

    def forward(self, x):
        return self.net(x).squeeze(1)


def make():
    torch.manual_seed(0)
    x = torch.randn(25, 4)
    y = -4 + 0.3 * x[:, 0] + 0.1 * torch.randn(25)
    model = ReturnModel(4, y.mean().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (x, y)


def loss_fn(model, batch):
    x, y = batch
    return torch.mean((model(x) - y) ** 2)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "net.0.weight": "blocked",
    "net.0.bias": "blocked",
    "net.2.weight": "blocked",
    "net.2.bias": "blocked",
    "net.4.weight": "blocked",
    "net.4.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
