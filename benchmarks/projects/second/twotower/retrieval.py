import torch
import torch.nn.functional as F
from torch import nn

import plugins
from towers import build_tower


class ItemIndex:
    """Item vectors computed once, for serving."""

    def __init__(self, tower):
        self.tower = tower

    @torch.no_grad()
    def vectors(self, batch):
        return self.tower(batch)


class TwoTower(nn.Module):
    def __init__(self, conf):
        super().__init__()
        self.user = build_tower(["user_id", "country"], conf)
        self.item = build_tower(["item_id", "genre"], conf)
        self.score = nn.ModuleList(plugins.load(conf["plugins"], conf))
        self.index = ItemIndex(self.item)

    def scores(self, batch, serving=False):
        u = self.user(batch)
        v = self.index.vectors(batch) if serving else self.item(batch)
        s = u @ v.t()
        for plugin in self.score:
            s = plugin(s, batch)
        return s

    def forward(self, batch):
        s = self.scores(batch)
        return F.cross_entropy(s, torch.arange(s.size(0)))
