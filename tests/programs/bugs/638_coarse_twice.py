"""Coarse-to-fine registration: the outputs are in a dict, and the second term of the loss was copied from the first without changing the key.
Origin: code review; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Registration(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(6, 10), nn.GELU())
        self.coarse = nn.Linear(10, 4)
        self.fine = nn.Sequential(nn.Linear(14, 10), nn.GELU(), nn.Linear(10, 4))

    def forward(self, x):
        h = self.features(x)
        coarse = self.coarse(h)
        fine = coarse + self.fine(torch.cat([h, coarse], -1))
        return {"coarse": coarse, "fine": fine}


def make():
    torch.manual_seed(0)
    model = Registration()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(12, 6), torch.randn(12, 4))


def loss_fn(model, batch):
    x, flow = batch
    out = model(x)
    coarse_loss = F.smooth_l1_loss(out["coarse"], flow)
    fine_loss = F.smooth_l1_loss(out["coarse"], flow)  # <-- culprit
    return 0.5 * coarse_loss + fine_loss


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "loss"
EXPECT = {
    "features.0.weight": "trained",
    "features.0.bias": "trained",
    "coarse.weight": "trained",
    "coarse.bias": "trained",
    "fine.0.weight": "unreachable",
    "fine.0.bias": "unreachable",
    "fine.2.weight": "unreachable",
    "fine.2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
