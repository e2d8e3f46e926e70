"""Two losses, two backwards, and the `zero_grad()` of the copied block between them: what the first loss brought is gone.
Origin: made up after two-loss training questions."""
import torch
from torch import nn


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.value = nn.Linear(8, 1)
        self.label = nn.Linear(8, 3)

    def forward(self, x):
        h = torch.relu(self.body(x))
        return self.value(h), self.label(h)


def make():
    torch.manual_seed(0)
    model = TwoHeads()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randn(8, 1), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    value, label = model(batch[0])
    return nn.functional.mse_loss(value, batch[1]) + nn.functional.cross_entropy(label, batch[2])


def train(steps=3):
    model, optimizer, (x, y, c) = make()
    losses = []
    for _ in range(steps):
        value, label = model(x)
        optimizer.zero_grad()
        first = nn.functional.mse_loss(value, y)
        first.backward(retain_graph=True)
        optimizer.zero_grad()  # <-- culprit
        second = nn.functional.cross_entropy(label, c)
        second.backward()
        optimizer.step()
        losses.append(first.item() + second.item())
    return model, losses


KIND = "loop"
EXPECT = {"body.weight": "trained", "body.bias": "trained", "value.weight": "blocked", "value.bias": "blocked",
          "label.weight": "trained", "label.bias": "trained"}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
