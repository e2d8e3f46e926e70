"""Token pruning: a small scorer chooses the k tokens to be kept. Only the indices of topk are used, so that the scorer has no
part in the loss that gradient could pass.
Origin: "topk is not differentiable?" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TokenPruner(nn.Module):
    def __init__(self, d, keep):
        super().__init__()
        self.keep = keep
        self.scorer = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 1))

    def forward(self, tokens):
        scores = self.scorer(tokens).squeeze(-1)
        _, idx = torch.topk(scores, self.keep, dim=1)  # <-- culprit
        idx = idx.unsqueeze(-1).expand(-1, -1, tokens.size(-1))
        return torch.gather(tokens, 1, idx)


class PrunedViT(nn.Module):
    def __init__(self, patch=6, d=8, classes=3):
        super().__init__()
        self.embed = nn.Linear(patch, d)
        self.block1 = nn.TransformerEncoderLayer(d, 2, 12, dropout=0.0, batch_first=True)
        self.prune = TokenPruner(d, keep=4)
        self.block2 = nn.TransformerEncoderLayer(d, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(d, classes)

    def forward(self, patches):
        x = self.block1(self.embed(patches))
        x = self.block2(self.prune(x))
        return self.head(x.mean(1))


def make():
    torch.manual_seed(0)
    model = PrunedViT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(4, 9, 6), torch.randint(0, 3, (4,)))


def loss_fn(model, batch):
    patches, label = batch
    return F.cross_entropy(model(patches), label)


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
    "embed.weight": "trained",
    "embed.bias": "trained",
    "block1.self_attn.in_proj_weight": "trained",
    "block1.self_attn.in_proj_bias": "trained",
    "block1.self_attn.out_proj.weight": "trained",
    "block1.self_attn.out_proj.bias": "trained",
    "block1.linear1.weight": "trained",
    "block1.linear1.bias": "trained",
    "block1.linear2.weight": "trained",
    "block1.linear2.bias": "trained",
    "block1.norm1.weight": "trained",
    "block1.norm1.bias": "trained",
    "block1.norm2.weight": "trained",
    "block1.norm2.bias": "trained",
    "prune.scorer.0.weight": "unreachable",
    "prune.scorer.0.bias": "unreachable",
    "prune.scorer.1.weight": "unreachable",
    "prune.scorer.1.bias": "unreachable",
    "block2.self_attn.in_proj_weight": "trained",
    "block2.self_attn.in_proj_bias": "trained",
    "block2.self_attn.out_proj.weight": "trained",
    "block2.self_attn.out_proj.bias": "trained",
    "block2.linear1.weight": "trained",
    "block2.linear1.bias": "trained",
    "block2.linear2.weight": "trained",
    "block2.linear2.bias": "trained",
    "block2.norm1.weight": "trained",
    "block2.norm1.bias": "trained",
    "block2.norm2.weight": "trained",
    "block2.norm2.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
