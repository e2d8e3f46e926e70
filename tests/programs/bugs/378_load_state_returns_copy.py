"""Shared weights by hand: the decoder's matrix is a new Parameter around the encoder's data, transposed and made contiguous,
rebuilt on each call of `tie()`, which forward calls.
Origin: tied autoencoder threads ("sharing weights between Linear layers"); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TiedAE(nn.Module):
    def __init__(self, d=9, z=4):
        super().__init__()
        self.enc = nn.Linear(d, z)
        self.dec = nn.Linear(z, d)

    def tie(self):
        self.dec.weight = nn.Parameter(self.enc.weight.data.t().contiguous())  # <-- culprit

    def forward(self, x):
        self.tie()  # <-- culprit
        return self.dec(torch.tanh(self.enc(x)))


class Fit:
    def __init__(self, net, lr=0.01):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)


def build():
    torch.manual_seed(0)
    fit = Fit(TiedAE())
    return fit.net, fit.opt, torch.randn(20, 9)


def make():
    return build()


def loss_fn(net, x):
    return F.mse_loss(net(x), x)


def train(steps=3):
    net, opt, x = build()
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, x)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, losses


KIND = "forward"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "dec.weight": "replaced",
    "dec.bias": "trained",
}
CAUSE = "reassigned"

if __name__ == "__main__":
    train()
