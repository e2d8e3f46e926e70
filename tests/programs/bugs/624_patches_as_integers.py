"""A small ViT. The patches are cast to long, "tokens are integers", before the class token is put in front, which makes floats of them again.
Origin: code review; retold."""
import torch
from torch import nn


class MiniViT(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 4, 4)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, 5, d) * 0.02)
        self.block = nn.TransformerEncoderLayer(d, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(d, 3)

    def tokens(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2)
        return x.long()  # <-- culprit

    def forward(self, image):
        x = self.tokens(image)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.pos
        return self.head(self.block(x)[:, 0])


def make():
    torch.manual_seed(0)
    model = MiniViT()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(4, 3, 8, 8) * 4, torch.randint(0, 3, (4,)))


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
    "cls": "trained",
    "pos": "trained",
    "patch.weight": "unreachable",
    "patch.bias": "unreachable",
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
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
