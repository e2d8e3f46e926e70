"""A VQ autoencoder with straight-through and commitment; in the codebook loss both sides are detached.
Origin: "codebook never moves" issue; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class VQAE(nn.Module):
    def __init__(self, k=8, d=4):
        super().__init__()
        self.enc, self.dec = nn.Linear(6, d), nn.Linear(d, 6)
        self.codebook = nn.Embedding(k, d)

    def quantise(self, z):
        distance = torch.cdist(z, self.codebook.weight)
        return self.codebook(distance.argmin(-1))

    def forward(self, x):
        z = self.enc(x)
        q = self.quantise(z)
        codebook = F.mse_loss(q.detach(), z.detach())  # <-- culprit
        commitment = F.mse_loss(z, q.detach())
        q = z + (q - z).detach()
        return self.dec(q), codebook + 0.25 * commitment


def make():
    torch.manual_seed(0)
    model = VQAE()
    return model, torch.optim.Adam(model.parameters(), lr=3e-4), torch.randn(20, 6)


def loss_fn(model, x):
    recon, extra = model(x)
    return F.l1_loss(recon, x) + extra


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "loss"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "dec.weight": "trained",
    "dec.bias": "trained",
    "codebook.weight": "unreachable",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
