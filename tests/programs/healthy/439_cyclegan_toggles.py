"""Healthy: the discriminator is frozen for the generator's turn and thawed for its own, in each round. NEEDS_LOOP"""
import torch
from torch import nn


class Pix2Pix(nn.Module):
    def __init__(self):
        super().__init__()
        self.G = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
        self.D = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 1))


def set_requires_grad(net, flag):
    for p in net.parameters():
        p.requires_grad = flag


def make():
    torch.manual_seed(0)
    model = Pix2Pix()
    optimizers = [torch.optim.Adam(model.G.parameters(), lr=2e-4), torch.optim.Adam(model.D.parameters(), lr=2e-4)]
    return model, optimizers, (torch.rand(2, 1, 6, 6), torch.rand(2, 1, 6, 6))


def gan(score, real):
    return nn.functional.binary_cross_entropy_with_logits(score, torch.full_like(score, float(real)))


def loss_fn(model, batch):
    a, b = batch
    fake = model.G(a)
    return gan(model.D(torch.cat([a, fake], 1)), True) + 100 * nn.functional.l1_loss(fake, b)


def train(steps=3):
    model, (opt_g, opt_d), (a, b) = make()
    losses = []
    for _ in range(steps):
        fake = model.G(a)
        set_requires_grad(model.D, False)
        opt_g.zero_grad()
        loss = gan(model.D(torch.cat([a, fake], 1)), True) + 100 * nn.functional.l1_loss(fake, b)
        loss.backward()
        opt_g.step()
        set_requires_grad(model.D, True)
        opt_d.zero_grad()
        for score, real in ((model.D(torch.cat([a, fake.detach()], 1)), False), (model.D(torch.cat([a, b], 1)), True)):
            (0.5 * gan(score, real)).backward()
        opt_d.step()
        set_requires_grad(model.D, False)
        losses.append(loss.item())
    set_requires_grad(model.D, True)
    return model, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in "GD" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
