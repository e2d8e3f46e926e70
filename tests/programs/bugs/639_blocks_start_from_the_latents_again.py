"""A Perceiver: the latents attend to the input once, then to themselves. The loop passes self.latents, the parameter, to every block.
Origin: a Perceiver reimplementation; retold."""
import torch
from torch import nn


class Perceiver(nn.Module):
    def __init__(self, d=8, n=3, depth=3):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(n, d))
        self.inp = nn.Linear(4, d)
        self.cross = nn.MultiheadAttention(d, 2, batch_first=True)
        self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU()) for _ in range(depth))
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        context = self.inp(x)
        query = self.latents.expand(len(x), -1, -1)
        latents = query + self.cross(query, context, context, need_weights=False)[0]
        for block in self.blocks:
            latents = query + block(query)  # <-- culprit
        return self.head(latents.mean(1))


def make():
    torch.manual_seed(0)
    model = Perceiver()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), (torch.randn(6, 10, 4), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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
    "latents": "trained",
    "inp.weight": "unreachable",
    "inp.bias": "unreachable",
    "cross.in_proj_weight": "unreachable",
    "cross.in_proj_bias": "unreachable",
    "cross.out_proj.weight": "unreachable",
    "cross.out_proj.bias": "unreachable",
    "blocks.0.0.weight": "unreachable",
    "blocks.0.0.bias": "unreachable",
    "blocks.0.1.weight": "unreachable",
    "blocks.0.1.bias": "unreachable",
    "blocks.1.0.weight": "unreachable",
    "blocks.1.0.bias": "unreachable",
    "blocks.1.1.weight": "unreachable",
    "blocks.1.1.bias": "unreachable",
    "blocks.2.0.weight": "trained",
    "blocks.2.0.bias": "trained",
    "blocks.2.1.weight": "trained",
    "blocks.2.1.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
