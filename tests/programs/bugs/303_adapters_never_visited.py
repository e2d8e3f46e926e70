"""Adapter modules sit beside the transformer blocks in a ModuleList of their own; the loop in forward goes over blocks and
norms only, and nobody calls an adapter. The trained "adapter" checkpoint equals its initialisation.
Origin: adapter / ModuleList threads ("ModuleList parameters have no grad"), retold."""
import torch
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.w1, self.w2 = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        return self.w2(nn.functional.gelu(self.w1(x)))


class AdapterMLP(nn.Module):
    def __init__(self, d=6, depth=2, rank=2, classes=3):
        super().__init__()
        self.blocks = nn.ModuleList([FeedForward(d) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(d) for _ in range(depth)])
        self.adapters = nn.ModuleList([nn.Sequential(nn.Linear(d, rank), nn.Tanh(), nn.Linear(rank, d)) for _ in range(depth)])
        self.classifier = nn.Linear(d, classes)

    def forward(self, x):
        for block, norm in zip(self.blocks, self.norms):  # <-- culprit
            x = x + block(norm(x))  # <-- culprit
        return self.classifier(x)


def make():
    torch.manual_seed(0)
    net = AdapterMLP()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    return net, optimizer, (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y, label_smoothing=0.1)


def fit(model, optimizer, batches):
    for batch in batches:
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield float(loss)


def train(steps=3):
    net, optimizer, batch = make()
    return net, list(fit(net, optimizer, [batch] * steps))


KIND = "forward"
EXPECT = {
    "blocks.0.w1.weight": "trained",
    "blocks.0.w1.bias": "trained",
    "blocks.0.w2.weight": "trained",
    "blocks.0.w2.bias": "trained",
    "blocks.1.w1.weight": "trained",
    "blocks.1.w1.bias": "trained",
    "blocks.1.w2.weight": "trained",
    "blocks.1.w2.bias": "trained",
    "norms.0.weight": "trained",
    "norms.0.bias": "trained",
    "norms.1.weight": "trained",
    "norms.1.bias": "trained",
    "adapters.0.0.weight": "unreachable",
    "adapters.0.0.bias": "unreachable",
    "adapters.0.2.weight": "unreachable",
    "adapters.0.2.bias": "unreachable",
    "adapters.1.0.weight": "unreachable",
    "adapters.1.0.bias": "unreachable",
    "adapters.1.2.weight": "unreachable",
    "adapters.1.2.bias": "unreachable",
    "classifier.weight": "trained",
    "classifier.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
