"""The discriminator's step is skipped whenever its accuracy is high, which it is at first; gradients are computed and
thrown away then. Origin: GAN balancing heuristics. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class GAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
        self.D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        with torch.no_grad():
            self.D[2].weight.abs_()
            self.D[0].weight.fill_(0.6)
            self.G[2].bias.fill_(-6.0)


def make():
    torch.manual_seed(0)
    gan = GAN()
    return gan, [torch.optim.Adam(gan.G.parameters(), lr=0.2, betas=(0.5, 0.99)), torch.optim.Adam(gan.D.parameters(), lr=2e-3)], torch.rand(32, 2) + 1


def loss_fn(gan, real):
    return F.softplus(-gan.D(gan.G(torch.randn(len(real), 2)))).mean()


def train(steps=40):
    gan, (opt_g, opt_d), real = make()
    losses = []
    for _ in range(steps):
        fake = gan.G(torch.randn(len(real), 2))
        on_real, on_fake = gan.D(real), gan.D(fake.detach())
        loss_d = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        accuracy = ((on_real > 0).float().mean() + (on_fake < 0).float().mean()) / 2
        gan.D.zero_grad()
        loss_d.backward()
        if accuracy < 0.8:
            opt_d.step()
        gan.G.zero_grad()
        gan.D.zero_grad()
        loss_g = F.softplus(-gan.D(fake)).mean()
        loss_g.backward()
        opt_g.step()
        losses.append(loss_g.item())
    return gan, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in "GD" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
