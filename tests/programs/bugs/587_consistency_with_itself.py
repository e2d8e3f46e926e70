"""Two views are meant to be compared; the second forward gets the first view again (x1 twice), without dropout. The difference is nil and
the projection, which has no other loss, stays.
Origin: SimCLR-like code review; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4, bias=False))
        self.classify = nn.Linear(5, 3)

    def forward(self, x):
        return self.project(x), self.classify(x)


def make():
    torch.manual_seed(0)
    model = Net()
    x = torch.randn(10, 5)
    batch = (x, x + 0.1 * torch.randn_like(x), torch.randint(0, 3, (10,)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    x1, x2, y = batch
    z1, logits = model(x1)
    z2, _ = model(x1)  # <-- culprit
    return F.cross_entropy(logits, y) + F.mse_loss(z1, z2)  # <-- culprit


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


KIND = "loss"
EXPECT = {
    "classify.weight": "trained",
    "classify.bias": "trained",
    "project.0.weight": "blocked",
    "project.0.bias": "blocked",
    "project.2.weight": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
