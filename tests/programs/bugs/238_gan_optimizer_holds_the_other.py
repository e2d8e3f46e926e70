"""Copy and paste: opt_d is built over the generator's parameters.
Origin: made up after GAN scripts."""
import itertools

import torch
from torch import nn
import torch.nn.functional as F


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.gen = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.dis = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.1), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    pair = Pair()
    opt_g = torch.optim.Adam(itertools.chain(pair.gen.parameters()), lr=1e-3)
    opt_d = torch.optim.Adam(itertools.chain(pair.gen.parameters()), lr=1e-3)  # <-- culprit
    return pair, [opt_g, opt_d], (torch.randn(9, 2), torch.randn(9, 3))


def d_loss(pair, real, z):
    return F.softplus(-pair.dis(real)).mean() + F.softplus(pair.dis(pair.gen(z).detach())).mean()


def g_loss(pair, z):
    return F.softplus(-pair.dis(pair.gen(z))).mean()


def loss_fn(pair, batch):
    return d_loss(pair, *batch) + g_loss(pair, batch[1])


def train(steps=3):
    pair, (opt_g, opt_d), batch = make()
    losses = []
    for _ in range(steps):
        opt_d.zero_grad()
        ld = d_loss(pair, *batch)
        ld.backward()
        opt_d.step()
        opt_g.zero_grad()
        lg = g_loss(pair, batch[1])
        lg.backward()
        opt_g.step()
        pair.zero_grad()
        losses.append(ld.item() + lg.item())
    return pair, losses


KIND = "optimizer"
EXPECT = {n: "trained" for n in ("gen.0.weight", "gen.0.bias", "gen.2.weight", "gen.2.bias")}
EXPECT.update({n: "excluded" for n in ("dis.0.weight", "dis.0.bias", "dis.2.weight", "dis.2.bias")})
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
