"""Two towers run in a thread pool; autograd does not mind.
Origin: CPU inference code reused for training."""
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn
import torch.nn.functional as F


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.text = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 4))
        self.image = nn.Sequential(nn.Linear(7, 8), nn.ReLU(), nn.Linear(8, 4))
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, t, i):
        with ThreadPoolExecutor(2) as pool:
            zt, zi = (job.result() for job in (pool.submit(self.text, t), pool.submit(self.image, i)))
        return F.normalize(zt, dim=1) @ F.normalize(zi, dim=1).T * self.scale.exp()


def make():
    torch.manual_seed(0)
    model = Towers()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 5), torch.randn(8, 7))


def loss_fn(model, batch):
    logits = model(*batch)
    return F.cross_entropy(logits, torch.arange(len(logits)))


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
    "text.0.weight": "trained",
    "text.0.bias": "trained",
    "text.2.weight": "trained",
    "text.2.bias": "trained",
    "image.0.weight": "trained",
    "image.0.bias": "trained",
    "image.2.weight": "trained",
    "image.2.bias": "trained",
    "scale": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
