import torch
from torch import nn

from pointpart.build import BACKBONES, register_in


def neighbours(x, k):
    return torch.cdist(x, x).topk(k + 1, largest=False).indices[..., 1:]


class EdgeConv(nn.Module):
    def __init__(self, c_in, c_out, k):
        super().__init__()
        self.k = k
        self.mlp = nn.Sequential(nn.Linear(2 * c_in, c_out), nn.ReLU(), nn.Linear(c_out, c_out))

    def forward(self, x):
        idx = neighbours(x, self.k)
        near = torch.stack([row[i] for row, i in zip(x, idx)])
        here = x.unsqueeze(2).expand_as(near)
        return self.mlp(torch.cat([here, near - here], -1)).amax(2)


@register_in(BACKBONES)
class EdgeNet(nn.Module):
    def __init__(self, width, k):
        super().__init__()
        self.width = 2 * width
        self.conv1 = EdgeConv(3, width, k)
        self.conv2 = EdgeConv(width, width, k)

    def forward(self, points):
        local = self.conv2(self.conv1(points))
        shape = local.amax(1, keepdim=True).expand_as(local)
        return torch.cat([local, shape], -1)
