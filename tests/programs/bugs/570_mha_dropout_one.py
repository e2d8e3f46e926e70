"""Dropout of the attention was given as the probability of keeping, 1.0. Every attention weight is dropped: what is left is the bias of the
output projection.
Origin: keep_prob versus p questions; retold."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, d=8, keep=1.0):
        super().__init__()
        self.attn = nn.MultiheadAttention(d, 2, dropout=keep, batch_first=True)  # <-- culprit
        self.ff = nn.Linear(d, d)

    def forward(self, x):
        x = x + self.attn(x, x, x, need_weights=True)[0]
        return x + torch.relu(self.ff(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.block, self.out = nn.Linear(3, 8), Block(), nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.block(self.inp(x)).mean(1))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(6, 5, 3), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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
    "block.attn.out_proj.bias": "trained",
    "block.ff.weight": "trained",
    "block.ff.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "block.attn.in_proj_weight": "blocked",
    "block.attn.in_proj_bias": "blocked",
    "block.attn.out_proj.weight": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
