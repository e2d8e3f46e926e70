"""Weights and biases are separated by two comprehensions over the same generator. The second one finds it exhausted, so that
the group of the biases is empty.
Origin: "generators can be consumed once", e.g. optimizer got an empty parameter list threads; retold."""
import torch
from torch import nn


class TCN(nn.Module):
    def __init__(self, c=4, classes=3):
        super().__init__()
        self.c1 = nn.Conv1d(2, c, 3, padding=2, dilation=2)
        self.c2 = nn.Conv1d(c, c, 3, padding=4, dilation=4)
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        x = torch.relu(self.c2(torch.relu(self.c1(x))))
        return self.fc(x.amax(-1))


def configure_optimizer(model, lr=0.02, wd=1e-4):
    named = ((n, p) for n, p in model.named_parameters() if p.requires_grad)
    weights = [p for n, p in named if n.endswith("weight")]
    biases = [p for n, p in named if n.endswith("bias")]  # <-- culprit
    return torch.optim.SGD([
        {"params": weights, "weight_decay": wd},
        {"params": biases, "weight_decay": 0.0},
    ], lr=lr)


def make():
    torch.manual_seed(0)
    model = TCN()
    return model, configure_optimizer(model), (torch.randn(6, 2, 14), torch.randint(0, 3, (6,)))


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


KIND = "optimizer"
EXPECT = {
    "c1.weight": "trained",
    "c1.bias": "excluded",
    "c2.weight": "trained",
    "c2.bias": "excluded",
    "fc.weight": "trained",
    "fc.bias": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
