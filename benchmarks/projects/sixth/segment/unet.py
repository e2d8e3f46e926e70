import torch
from torch import nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.norm = nn.GroupNorm(2, n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.norm(self.conv1(x)))))


class UNet(nn.Module):
    def __init__(self, base, classes, edge_head):
        super().__init__()
        self.enc1 = ConvBlock(1, base)
        self.enc2 = ConvBlock(base, 2 * base)
        self.mid = ConvBlock(2 * base, 2 * base)
        self.dec2 = ConvBlock(4 * base, base)
        self.dec1 = ConvBlock(2 * base, base)
        self.seg = nn.Conv2d(base, classes, 1)
        self.edge = nn.Conv2d(base, 1, 1) if edge_head else None

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        c = self.mid(F.max_pool2d(b, 2))
        d = self.dec2(torch.cat([F.interpolate(c, scale_factor=2), b], 1))
        d = self.dec1(torch.cat([F.interpolate(d, scale_factor=2), a], 1))
        return {"seg": self.seg(d), "edge": self.edge(d) if self.edge is not None else None}
