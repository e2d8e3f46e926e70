import torch
from torch import nn


class Tower(nn.Module):
    def __init__(self, n_in, dim):
        super().__init__()
        self.proj = nn.Linear(n_in, dim)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.proj(x))))


class TwoTower(nn.Module):
    def __init__(self, sizes, dim=16):
        super().__init__()
        self.emb_user = nn.Embedding(sizes["user"], dim, padding_idx=0)
        self.emb_country = nn.Embedding(sizes["country"], dim, padding_idx=0)
        self.emb_item = nn.Embedding(sizes["item"], dim, padding_idx=0)
        self.query = Tower(2 * dim, dim)
        self.candidate = Tower(dim, dim)

    def embed_query(self, user, country):
        return self.query(torch.cat([self.emb_user(user), self.emb_country(country)], -1))

    def embed_item(self, item):
        return self.candidate(self.emb_item(item))

    def forward(self, batch):
        q = self.embed_query(batch["user"], batch["country"])
        pos = (q * self.embed_item(batch["pos"])).sum(-1)
        neg = (q * self.embed_item(batch["neg"])).sum(-1)
        return pos, neg
