"""ReZero gates were added to blocks whose last norm starts at weight zero (the other trick for the same purpose). Zero times zero: the
gates get no gradient because the branch is zero, and the branch none because the gate is.
Origin: combining "zero-init residual" with ReZero in an issue; retold."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1, self.fc2, self.norm = nn.Linear(d, d), nn.Linear(d, d), nn.LayerNorm(d)
        self.gate = nn.Parameter(torch.zeros(1))  # <-- culprit
        nn.init.zeros_(self.norm.weight)  # <-- culprit

    def forward(self, x):
        return x + self.gate * self.norm(self.fc2(torch.relu(self.fc1(x))))


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp, self.block, self.out = nn.Linear(4, d), Block(d), nn.Linear(d, 2)

    def forward(self, x):
        return self.out(self.block(self.inp(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(9, 4), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "registration"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "block.fc1.weight": "blocked",
    "block.fc1.bias": "blocked",
    "block.fc2.weight": "blocked",
    "block.fc2.bias": "blocked",
    "block.norm.weight": "blocked",
    "block.norm.bias": "blocked",
    "block.gate": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
