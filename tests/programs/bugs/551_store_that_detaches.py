"""Intermediate features are put into a small dict subclass whose __getitem__ detaches, written for a dashboard, and the decoder reads its
skip connections from there.
Origin: "my U-Net encoder does not train" with a feature store; retold."""
import torch
from torch import nn


class Store(dict):
    def __getitem__(self, key):
        return super().__getitem__(key).detach()  # <-- culprit


class UNet(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv1d(1, c, 3, padding=1), nn.Conv1d(c, c, 3, padding=1)])
        self.up = nn.ModuleList([nn.Conv1d(2 * c, c, 3, padding=1), nn.Conv1d(c, 1, 1)])

    def forward(self, x):
        store = Store()
        for i, conv in enumerate(self.down):
            x = torch.relu(conv(x))
            store[f"level{i}"] = x
        h = torch.cat([store["level1"], store["level0"]], 1)
        return self.up[1](torch.relu(self.up[0](h)))


def make():
    torch.manual_seed(0)
    model = UNet()
    clean = torch.randn(5, 1, 12)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (clean + 0.3 * torch.randn_like(clean), clean)


def loss_fn(model, batch):
    noisy, clean = batch
    return nn.functional.mse_loss(model(noisy), clean)


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
EXPECT = {
    "down.0.weight": "unreachable",
    "down.0.bias": "unreachable",
    "down.1.weight": "unreachable",
    "down.1.bias": "unreachable",
    "up.0.weight": "trained",
    "up.0.bias": "trained",
    "up.1.weight": "trained",
    "up.1.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
