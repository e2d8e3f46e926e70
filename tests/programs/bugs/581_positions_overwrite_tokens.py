"""Position embeddings are assigned to the token embeddings where they should be added; the first slot is the class token. No token is left.
Origin: code review of a ViT reimplementation; retold."""
import torch
from torch import nn


class Tokens(nn.Module):
    def __init__(self, d=8, length=5):
        super().__init__()
        self.patch = nn.Linear(6, d)
        self.cls = nn.Parameter(torch.zeros(d))
        self.pos = nn.Parameter(torch.randn(length, d))

    def forward(self, x):
        h = torch.cat([x.new_zeros(len(x), 1, 8), self.patch(x)], 1)
        h[:, 0] = self.cls
        h[:, 1:] = self.pos  # <-- culprit
        return h


class ViT(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.tokens = Tokens(d)
        self.block = nn.TransformerEncoderLayer(d, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(d, 3)

    def forward(self, x):
        return self.head(self.block(self.tokens(x))[:, 0])


def make():
    torch.manual_seed(0)
    model = ViT()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), (torch.randn(6, 5, 6), torch.randint(0, 3, (6,)))


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
    "tokens.patch.weight": "blocked",
    "tokens.patch.bias": "blocked",
    "tokens.cls": "trained",
    "tokens.pos": "trained",
    "block.self_attn.in_proj_weight": "trained",
    "block.self_attn.in_proj_bias": "trained",
    "block.self_attn.out_proj.weight": "trained",
    "block.self_attn.out_proj.bias": "trained",
    "block.linear1.weight": "trained",
    "block.linear1.bias": "trained",
    "block.linear2.weight": "trained",
    "block.linear2.bias": "trained",
    "block.norm1.weight": "trained",
    "block.norm1.bias": "trained",
    "block.norm2.weight": "trained",
    "block.norm2.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
