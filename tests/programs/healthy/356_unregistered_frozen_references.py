"""A perceptual loss keeps a frozen net in a plain list on purpose (not in state_dict), and a teacher that is not in eval. Origin: LPIPS-like losses."""
import torch
from torch import nn
import torch.nn.functional as F


class Generator(nn.Module):
    def __init__(self, reference):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
        self.reference = [reference]

    def forward(self, x):
        return self.net(x)


def make():
    torch.manual_seed(0)
    reference = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3))
    for p in reference.parameters():
        p.requires_grad = False
    model = Generator(reference)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(3, 1, 8, 8), torch.randn(3, 1, 8, 8))


def loss_fn(model, b):
    out = model(b[0])
    ref = model.reference[0]
    return F.l1_loss(out, b[1]) + F.mse_loss(ref(out), ref(b[1]))


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


KIND = "healthy"
EXPECT = {
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
