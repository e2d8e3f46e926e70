"""The score before training is printed by an evaluate() that switches gradients off, and never on again.
Origin: "element 0 of tensors does not require grad" on stackoverflow; retold."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(5, 9), nn.Linear(9, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def accuracy(model, batch):
    torch.set_grad_enabled(False)  # <-- culprit
    model.eval()
    x, y = batch
    hits = (model(x).argmax(1) == y).float().mean().item()
    model.train()
    return hits


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(10, 5), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    before = torch.is_grad_enabled()
    losses = []
    try:
        accuracy(model, batch)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    finally:
        torch._C._set_grad_enabled(before)
    return model, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {
    "fc1.weight": "unreachable",
    "fc1.bias": "unreachable",
    "fc2.weight": "unreachable",
    "fc2.bias": "unreachable",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
