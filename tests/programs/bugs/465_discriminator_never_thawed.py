"""CycleGAN's `set_requires_grad(D, False)` for the generator's turn; the line that thaws D for its own turn was dropped.
Origin: made up after pytorch-CycleGAN-and-pix2pix."""
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


def d_loss(model, a, b, fake):
    return 0.5 * (gan(model.D(torch.cat([a, fake.detach()], 1)), False) + gan(model.D(torch.cat([a, b], 1)), True))


def g_loss(model, a, b, fake):
    return gan(model.D(torch.cat([a, fake], 1)), True) + 100 * nn.functional.l1_loss(fake, b)


def loss_fn(model, batch):
    a, b = batch
    fake = model.G(a)
    return g_loss(model, a, b, fake) + d_loss(model, a, b, fake)


def train(steps=3):
    model, (opt_g, opt_d), (a, b) = make()
    losses = []
    for _ in range(steps):
        fake = model.G(a)
        set_requires_grad(model.D, False)  # <-- culprit
        opt_g.zero_grad()
        loss = g_loss(model, a, b, fake)
        loss.backward()
        opt_g.step()
        opt_d.zero_grad()
        d_loss(model, a, b, fake).backward()
        opt_d.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {f"G.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {
    f"D.{n}": "frozen" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
