import torch
from torch import nn


class SAGEConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin_self = nn.Linear(n_in, n_out)
        self.lin_neigh = nn.Linear(n_in, n_out, bias=False)

    def forward(self, x, edge_index):
        src, dst = edge_index
        agg = torch.zeros_like(x).index_add(0, dst, x[src])
        deg = torch.zeros(len(x)).index_add(0, dst, torch.ones(len(dst))).clamp(min=1)
        return self.lin_self(x) + self.lin_neigh(agg / deg[:, None])


class JumpingKnowledge(nn.Module):
    """Joins the outputs of all layers: 'last', 'mean' or 'attention'."""

    def __init__(self, dim, mode="attention"):
        super().__init__()
        self.mode = mode
        self.key = nn.Linear(dim, dim)
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, hs):
        if self.mode == "last":
            return hs[-1]
        h = torch.stack(hs, 1)
        if self.mode == "mean":
            return h.mean(1)
        a = self.score(torch.tanh(self.key(h))).softmax(1)
        return (a * h).sum(1)
