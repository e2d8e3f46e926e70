"""A causal mask made with triu instead of tril, diagonal left out: the last position may look at nothing, and its softmax is not a number.
Origin: a GPT written from a video; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, d=8, n=6):
        super().__init__()
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.register_buffer("visible", torch.triu(torch.ones(n, n), diagonal=1).bool())  # <-- culprit

    def forward(self, x):
        t = x.shape[1]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        score = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
        score = score.masked_fill(~self.visible[:t, :t], float("-inf"))  # <-- culprit
        return x + self.proj(score.softmax(-1) @ v)  # <-- culprit


class GPT(nn.Module):
    def __init__(self, vocab=11, d=8):
        super().__init__()
        self.embed, self.block, self.head = nn.Embedding(vocab, d), Block(d), nn.Linear(d, vocab)

    def forward(self, ids):
        return self.head(self.block(self.embed(ids)))


def make():
    torch.manual_seed(0)
    model = GPT()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), torch.randint(0, 11, (4, 7))


def loss_fn(model, ids):
    return F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


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
    "embed.weight": "blocked",
    "block.qkv.weight": "blocked",
    "block.qkv.bias": "blocked",
    "block.proj.weight": "blocked",
    "block.proj.bias": "blocked",
    "head.weight": "blocked",
    "head.bias": "blocked",
}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
