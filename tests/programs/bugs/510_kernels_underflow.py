"""An RBF network on coordinates in metres: exp(-|x - c|^2 / 2) of distances in the hundreds is zero to the last bit, so neither the
centres nor the widths get anything.
Origin: "RBF layer does not learn" questions; retold."""
import torch
from torch import nn


class RBFNet(nn.Module):
    def __init__(self, k=8, d=2):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(k, d))
        self.log_width = nn.Parameter(torch.zeros(k))
        self.readout = nn.Linear(k, 1)

    def forward(self, x):
        d2 = (x.unsqueeze(1) - self.centres).pow(2).sum(-1)
        phi = torch.exp(-0.5 * d2 / self.log_width.exp() ** 2)  # <-- culprit
        return self.readout(phi).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = RBFNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    metres = 200 + 5000 * torch.rand(16, 2)  # <-- culprit
    return model, optimizer, (metres, torch.randn(16))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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
EXPECT = {"centres": "blocked", "log_width": "blocked", "readout.weight": "blocked", "readout.bias": "trained"}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
