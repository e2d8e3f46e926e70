"""A random-projection layer whose `reset` (fresh normal weights) was called at the end of __init__, and was moved into forward
when the layer got lazily known sizes.
Origin: "calling init inside forward" questions; retold."""
import torch
from torch import nn


class Projection(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def reset(self):
        std = self.weight.shape[0] ** -0.5
        nn.init.normal_(self.weight, std=std)  # <-- culprit

    def forward(self, x):
        self.reset()  # <-- culprit
        return x @ self.weight + self.bias


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.p1 = Projection(5, 12)
        self.p2 = nn.Linear(12, 1)

    def forward(self, x):
        return self.p2(torch.relu(self.p1(x)))


def make():
    torch.manual_seed(0)
    model = Regressor()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return model, optimizer, (torch.randn(20, 5), torch.randn(20, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.huber_loss(model(x), y)


def train(steps=4):
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
    "p1.weight": "replaced",
    "p1.bias": "trained",
    "p2.weight": "trained",
    "p2.bias": "trained",
}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
