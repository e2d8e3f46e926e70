import torch
import torch.nn as nn
import torch.nn.functional as F


class VectorQuantizer(nn.Module):
    """Nearest code, straight-through gradient."""

    def __init__(self, n_codes, dim, beta):
        super().__init__()
        self.beta = beta
        self.book = nn.Embedding(n_codes, dim)
        nn.init.normal_(self.book.weight, std=0.3)

    def nearest(self, flat):
        with torch.no_grad():
            return torch.cdist(flat, self.book.weight).argmin(dim=1)

    def forward(self, z):
        b, c, h, w = z.shape
        flat = z.permute(0, 2, 3, 1).reshape(-1, c)
        idx = self.nearest(flat)
        q = self.book(idx).view(b, h, w, c).permute(0, 3, 1, 2)
        commit = F.mse_loss(z, q.detach())
        pull = F.mse_loss(q, z.detach())
        zq = z + (q - z).detach()
        return zq, pull + self.beta * commit, idx
