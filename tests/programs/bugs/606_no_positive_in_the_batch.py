"""Supervised contrastive learning. The sampler hands out one example of every class, so there is no positive pair, and the clamped count
hides it.
Origin: "SupCon loss is 0 from the first batch" issue; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Encoder(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 16), nn.GELU(), nn.Linear(16, d))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


class SupCon(nn.Module):
    def __init__(self, temperature=0.1):
        super().__init__()
        self.temperature = temperature

    def forward(self, z, labels):
        logits = z @ z.T / self.temperature
        eye = torch.eye(len(z), dtype=torch.bool)
        log_prob = logits - torch.logsumexp(logits.masked_fill(eye, -1e4), 1, keepdim=True)
        positive = (labels[:, None] == labels[None, :]) & ~eye  # <-- culprit
        count = positive.sum(1).clamp(min=1)
        return -((log_prob * positive).sum(1) / count).mean()


def make():
    torch.manual_seed(0)
    model = Encoder()
    labels = torch.randperm(8)  # <-- culprit
    return model, torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9), (torch.randn(8, 10), labels)


def loss_fn(model, batch):
    x, labels = batch
    return SupCon()(model(x), labels)


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
    "net.0.weight": "blocked",
    "net.0.bias": "blocked",
    "net.2.weight": "blocked",
    "net.2.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
