import torch
from torch import nn

from .hashing import bucketize


class Tower(nn.Module):
    def __init__(self, features, hidden, out):
        super().__init__()
        self.sizes = {name: f["buckets"] for name, f in features.items()}
        self.tables = nn.ModuleDict({
            name: nn.Embedding(f["buckets"], f["dim"], padding_idx=0) for name, f in features.items()
        })
        width = sum(f["dim"] for f in features.values())
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, out))

    def forward(self, batch):
        parts = [table(bucketize(batch[name], self.sizes[name])) for name, table in self.tables.items()]
        return nn.functional.normalize(self.mlp(torch.cat(parts, dim=-1)), dim=-1)


def build_tower(names, conf):
    return Tower({n: conf["features"][n] for n in names}, **conf["towers"])
