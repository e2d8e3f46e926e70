import torch
import torch.nn as nn

from .ops import nearest_code, perplexity


class VectorQuantizer(nn.Module):
    def __init__(self, n_codes, dim):
        super().__init__()
        self.n_codes = n_codes
        self.codebook = nn.Parameter(torch.randn(n_codes, dim) * 0.3)

    def rescale(self):
        """Keep the codes inside a ball."""
        with torch.no_grad():
            norm = self.codebook.norm(dim=1, keepdim=True).clamp(min=4.0)
            self.codebook.mul_(4.0 / norm)

    def forward(self, z):
        b, c, t = z.shape
        self.rescale()
        flat = z.transpose(1, 2).reshape(b * t, c)
        q, idx = nearest_code(flat, self.codebook)
        commit = (flat - self.codebook.detach()[idx]).pow(2).mean()
        q = q.view(b, t, c).transpose(1, 2)
        return q, commit, perplexity(idx, self.n_codes)
