import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from vq import VectorQuantizer


def conv_block(cin, cout, stride):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride=stride, padding=1), nn.LeakyReLU(0.1))


class VQVAE(nn.Module):
    def __init__(self, hidden=12, n_codes=16, code_dim=6, beta=0.25):
        super().__init__()
        self.encoder = nn.Sequential(
            conv_block(1, hidden, 2), conv_block(hidden, hidden, 2), nn.Conv2d(hidden, code_dim, 1)
        )
        self.quantizer = VectorQuantizer(n_codes, code_dim, beta)
        self.decoder = nn.Sequential(
            conv_block(code_dim, hidden, 1), nn.Upsample(scale_factor=2),
            conv_block(hidden, hidden, 1), nn.Upsample(scale_factor=2),
            nn.Conv2d(hidden, 1, 3, padding=1),
        )
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def encode(self, x):
        return self.encoder(x)

    def decode(self, zq):
        return self.decoder(zq)

    def nll(self, x, x_hat):
        log_sigma = self.log_sigma
        return 0.5 * F.mse_loss(x_hat, x) * math.e ** (-2 * log_sigma) + log_sigma

    @torch.no_grad()
    def reconstruct(self, x):
        zq, _, _ = self.quantizer(self.encode(x))
        return self.decode(zq)
