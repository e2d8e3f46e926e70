"""Features of the (small) data set are cached by sample id, "the encoder is slow". What is cached is detached, and from the second step on
the encoder does not even run.
Origin: caching embeddings during training, question on a forum; retold."""
import torch
from torch import nn


class CachedNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 9), nn.SiLU(), nn.Linear(9, 4))
        self.head = nn.Linear(4, 2)
        self.cache = {}

    def encode(self, key, x):
        if key not in self.cache:
            self.cache[key] = self.encoder(x).detach()  # <-- culprit
        return self.cache[key]

    def forward(self, keys, xs):
        return self.head(torch.stack([self.encode(k, x) for k, x in zip(keys, xs)]))


def make():
    torch.manual_seed(0)
    model = CachedNet()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (list(range(6)), torch.randn(6, 6), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    keys, xs, y = batch
    return nn.functional.cross_entropy(model(keys, xs), y)


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
    "encoder.0.weight": "unreachable",
    "encoder.0.bias": "unreachable",
    "encoder.2.weight": "unreachable",
    "encoder.2.bias": "unreachable",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
