"""A median filter that numpy has and torch has not, between two convolutions: out to numpy, and back by from_numpy.
Origin: "Can't call numpy() on Tensor that requires grad" answers ("use detach().numpy()"); retold."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def median3(array):
    padded = np.pad(array, [(0, 0)] * (array.ndim - 1) + [(1, 1)], mode="edge")
    return np.median(np.stack([padded[..., :-2], padded[..., 1:-1], padded[..., 2:]]), axis=0).astype(array.dtype)


class Denoiser(nn.Module):
    def __init__(self, c=6):
        super().__init__()
        self.inp = nn.Conv1d(1, c, 5, padding=2)
        self.mid = nn.Conv1d(c, c, 5, padding=2)
        self.out = nn.Conv1d(c, 1, 5, padding=2)

    def forward(self, noisy):
        h = F.leaky_relu(self.inp(noisy))
        h = F.leaky_relu(self.mid(h))
        filtered = median3(h.detach().cpu().numpy())  # <-- culprit
        h = torch.from_numpy(filtered)  # <-- culprit
        return self.out(h)


def make():
    torch.manual_seed(0)
    model = Denoiser()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    clean = torch.sin(torch.linspace(0, 12, 32)).expand(4, 1, 32).clone()
    return model, optimizer, (clean + 0.2 * torch.randn_like(clean), clean)


def loss_fn(model, batch):
    noisy, clean = batch
    return F.l1_loss(model(noisy), clean)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for i in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "inp.weight": "unreachable",
    "inp.bias": "unreachable",
    "mid.weight": "unreachable",
    "mid.bias": "unreachable",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
