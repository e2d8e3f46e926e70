"""Feature selection with learned gates: sigmoid, then a comparison with 0.5. The comparison has no derivative, the gates stay
at their initial values.
Origin: "binary mask, requires_grad lost after thresholding" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class GatedInput(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.logits = nn.Parameter(torch.randn(n))

    def gates(self):
        return torch.sigmoid(self.logits)

    def forward(self, x):
        mask = (self.gates() > 0.5).float()  # <-- culprit
        return x * mask


def make():
    torch.manual_seed(0)
    model = nn.Sequential(GatedInput(12), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(16, 12), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=3, patience=5):
    model, optimizer, batch = make()
    losses, best, waited = [], float("inf"), 0
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < best:
            best, waited = losses[-1], 0
        else:
            waited += 1
            if waited > patience:
                break
    return model, losses


KIND = "forward"
EXPECT = {
    "0.logits": "unreachable",
    "1.weight": "trained",
    "1.bias": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
