"""An adversarial autoencoder. no_grad was put around the encoder in the shared helper for the sake of the discriminator's
step; the reconstruction step goes through the same helper.
Origin: GAN threads on detach / no_grad in the discriminator step; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class AAE(nn.Module):
    def __init__(self, d=8, z=3):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, 12), nn.ReLU(), nn.Linear(12, z))
        self.dec = nn.Sequential(nn.Linear(z, 12), nn.ReLU(), nn.Linear(12, d))
        self.disc = nn.Sequential(nn.Linear(z, 12), nn.LeakyReLU(0.2), nn.Linear(12, 1))

    def codes(self, x):
        with torch.no_grad():  # <-- culprit
            return self.enc(x)


def reconstruction(model, x):
    return F.mse_loss(model.dec(model.codes(x)), x)


def discrimination(model, x, prior):
    real, fake = model.disc(prior), model.disc(model.codes(x))
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def make():
    torch.manual_seed(0)
    model = AAE()
    opt_ae = torch.optim.Adam(list(model.enc.parameters()) + list(model.dec.parameters()), lr=1e-3)
    opt_d = torch.optim.Adam(model.disc.parameters(), lr=5e-4)
    return model, [opt_ae, opt_d], (torch.rand(14, 8), torch.randn(14, 3))


def loss_fn(model, batch):
    x, prior = batch
    return reconstruction(model, x) + discrimination(model, x, prior)


def train(steps=3):
    model, (opt_ae, opt_d), (x, prior) = make()
    losses = []
    for _ in range(steps):
        opt_ae.zero_grad()
        rec = reconstruction(model, x)
        rec.backward()
        opt_ae.step()

        opt_d.zero_grad()
        adv = discrimination(model, x, prior)
        adv.backward()
        opt_d.step()
        losses.append(rec.item() + adv.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "enc.0.weight": "unreachable",
    "enc.0.bias": "unreachable",
    "enc.2.weight": "unreachable",
    "enc.2.bias": "unreachable",
    "dec.0.weight": "trained",
    "dec.0.bias": "trained",
    "dec.2.weight": "trained",
    "dec.2.bias": "trained",
    "disc.0.weight": "trained",
    "disc.0.bias": "trained",
    "disc.2.weight": "trained",
    "disc.2.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
