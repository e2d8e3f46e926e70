"""Activation checkpointing with a frozen patch embedding: the input of the first checkpointed block needs no gradient, and the
reentrant variant then gives none to the block's own parameters.
Origin: "None of the inputs have requires_grad=True. Gradients will be None" warnings; retold."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        return x + self.mlp(self.norm(x))


class Backbone(nn.Module):
    def __init__(self, d=6, depth=2, grad_ckpt_layers=1):
        super().__init__()
        self.embed = nn.Linear(4, d)
        self.blocks = nn.ModuleList(Block(d) for _ in range(depth))
        self.head = nn.Linear(d, 3)
        self.grad_ckpt_layers = grad_ckpt_layers

    def forward(self, x):
        x = self.embed(x)
        for i, block in enumerate(self.blocks):
            if i < self.grad_ckpt_layers:
                x = checkpoint(block, x, use_reentrant=True)  # <-- culprit
            else:
                x = block(x)
        return self.head(x.mean(1))


def make():
    torch.manual_seed(0)
    model = Backbone()
    for p in model.embed.parameters():
        p.requires_grad = False
    optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-3)
    return model, optimizer, (torch.randn(5, 3, 4), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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
    "embed.weight": "frozen",
    "embed.bias": "frozen",
    "blocks.0.norm.weight": "unreachable",
    "blocks.0.norm.bias": "unreachable",
    "blocks.0.mlp.0.weight": "unreachable",
    "blocks.0.mlp.0.bias": "unreachable",
    "blocks.0.mlp.2.weight": "unreachable",
    "blocks.0.mlp.2.bias": "unreachable",
    "blocks.1.norm.weight": "trained",
    "blocks.1.norm.bias": "trained",
    "blocks.1.mlp.0.weight": "trained",
    "blocks.1.mlp.0.bias": "trained",
    "blocks.1.mlp.2.weight": "trained",
    "blocks.1.mlp.2.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "checkpoint"

if __name__ == "__main__":
    train()
