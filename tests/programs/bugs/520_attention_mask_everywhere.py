"""A padding mask for attention is built from the lengths; >= 0 where < lengths was meant: every key is masked with -1e9. Softmax of
equal numbers is uniform, whatever queries and keys say.
Origin: "query and key weights have zero grad" questions; retold."""
import math

import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x, masked):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / math.sqrt(x.shape[-1])
        scores = scores.masked_fill(masked.unsqueeze(1), -1e9)  # <-- culprit
        return scores.softmax(-1) @ self.v(x)


class Encoder(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp, self.attn, self.out = nn.Linear(4, d), SelfAttention(d), nn.Linear(d, 2)

    def forward(self, x, lengths):
        masked = torch.arange(x.shape[1])[None] - lengths[:, None] < x.shape[1]  # <-- culprit
        h = self.inp(x)
        return self.out((h + self.attn(h, masked)).mean(1))


def make():
    torch.manual_seed(0)
    model = Encoder()
    batch = (torch.randn(5, 6, 4), torch.tensor([6, 3, 4, 2, 5]), torch.randn(5, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    x, lengths, y = batch
    return nn.functional.mse_loss(model(x, lengths), y)


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
    "inp.weight": "trained",
    "inp.bias": "trained",
    "attn.v.weight": "trained",
    "attn.v.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "attn.q.weight": "blocked",
    "attn.q.bias": "blocked",
    "attn.k.weight": "blocked",
    "attn.k.bias": "blocked",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
