import torch
from torch import nn

from layers import JumpingKnowledge, SAGEConv


class GraphNet(nn.Module):
    def __init__(self, n_in, hidden, classes, depth=3, jk=None):
        super().__init__()
        dims = [n_in] + [hidden] * depth
        self.convs = nn.ModuleList(SAGEConv(a, b) for a, b in zip(dims[:-1], dims[1:]))
        self.jk = JumpingKnowledge(hidden, **(jk or {}))
        self.cls = nn.Linear(hidden, classes)

    def forward(self, data):
        h, hs = data.x, []
        for conv in self.convs:
            h = torch.relu(conv(h, data.edge_index))
            hs.append(h)
        return self.cls(self.jk(hs))
