"""zero_grad and step are there, backward is not.
Origin: made up after beginners' loops."""
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.fc = nn.Linear(2 * 16, 4)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


def make():
    torch.manual_seed(0)
    model = Model()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), (torch.randn(4, 1, 6, 6), torch.randint(0, 4, (4,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)  # <-- culprit
        optimizer.step()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"conv.weight": "blocked", "conv.bias": "blocked", "fc.weight": "blocked", "fc.bias": "blocked"}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
