import torch
from torch import Tensor, nn

import policy


class Tower(nn.Module):
    def __init__(self, tables: dict[str, nn.Embedding], out_dim: int) -> None:
        super().__init__()
        self.tables = nn.ModuleDict(tables)
        width = sum(t.embedding_dim for t in tables.values())
        self.trunk = nn.Sequential(nn.Linear(width, out_dim), nn.Tanh(), nn.Linear(out_dim, out_dim))

    def forward(self, fields: dict[str, Tensor]) -> Tensor:
        parts = [table(fields[name]) for name, table in self.tables.items()]
        return nn.functional.normalize(self.trunk(torch.cat(parts, dim=-1)), dim=-1)


class TwoTower(nn.Module):
    """Score matrix between users and items of one batch."""

    def __init__(self, user_tower: Tower, item_tower: Tower) -> None:
        super().__init__()
        self.user_tower = user_tower
        self.item_tower = item_tower
        self.log_scale = nn.Parameter(torch.tensor(policy.INITIAL_LOG_SCALE))

    def forward(self, users: dict[str, Tensor], items: dict[str, Tensor]) -> Tensor:
        u, v = self.user_tower(users), self.item_tower(items)
        scale = self.log_scale.clamp(max=policy.LOG_SCALE_CEILING).exp()
        return scale * u @ v.T
