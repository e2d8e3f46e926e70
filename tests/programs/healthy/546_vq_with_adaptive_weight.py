"""A VQ autoencoder's generator step: straight-through, codebook and commitment losses, and an adversarial term whose weight comes from two calls of
autograd.grad on the last layer.
Origin: the VQ-GAN trainer, reduced."""
import torch
from torch import nn
import torch.nn.functional as F


class VQGAN(nn.Module):
    def __init__(self, k=6, d=4):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(8, 12), nn.SiLU(), nn.Linear(12, d))
        self.codebook = nn.Embedding(k, d)
        nn.init.uniform_(self.codebook.weight, -0.5, 0.5)
        self.dec = nn.Sequential(nn.Linear(d, 12), nn.SiLU(), nn.Linear(12, 8))
        self.disc = nn.Sequential(nn.Linear(8, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1)).requires_grad_(False)

    def forward(self, x):
        z = self.enc(x)
        index = torch.cdist(z, self.codebook.weight).argmin(-1)
        q = self.codebook(index)
        codes = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return self.dec(z + (q - z).detach()), codes


def make():
    torch.manual_seed(0)
    model = VQGAN()
    optimizer = torch.optim.Adam([*model.enc.parameters(), *model.codebook.parameters(), *model.dec.parameters()], lr=1e-3)
    return model, optimizer, torch.randn(16, 8)


def loss_fn(model, x):
    recon, codes = model(x)
    rec, adv = F.l1_loss(recon, x), -model.disc(recon).mean()
    last = model.dec[-1].weight
    g_rec = torch.autograd.grad(rec, last, retain_graph=True)[0]
    g_adv = torch.autograd.grad(adv, last, retain_graph=True)[0]
    weight = (g_rec.norm() / (g_adv.norm() + 1e-4)).clamp(0, 1e4).detach()
    return rec + codes + 0.8 * weight * adv


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "enc.0.weight": "trained",
    "enc.0.bias": "trained",
    "enc.2.weight": "trained",
    "enc.2.bias": "trained",
    "codebook.weight": "trained",
    "dec.0.weight": "trained",
    "dec.0.bias": "trained",
    "dec.2.weight": "trained",
    "dec.2.bias": "trained",
    "disc.0.weight": "frozen",
    "disc.0.bias": "frozen",
    "disc.2.weight": "frozen",
    "disc.2.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {"disc.*": "the discriminator is trained elsewhere"}

if __name__ == "__main__":
    train()
