"""Healthy: WGAN-GP: the generator's turn comes at each third batch; in the critic's turn the fake is detached. NEEDS_LOOP"""
import torch
from torch import nn


class WGAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        self.critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    gan = WGAN()
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.9)) for m in (gan.generator, gan.critic)]
    return gan, optimizers, torch.randn(16, 2) + 2


def gradient_penalty(critic, real, fake):
    mix = torch.rand(len(real), 1)
    x = (mix * real + (1 - mix) * fake).requires_grad_(True)
    (grad,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (grad.norm(dim=1) - 1).square().mean()


def critic_loss(gan, real):
    fake = gan.generator(torch.randn(len(real), 3)).detach()
    return gan.critic(fake).mean() - gan.critic(real).mean() + 10 * gradient_penalty(gan.critic, real, fake)


def generator_loss(gan, real):
    return -gan.critic(gan.generator(torch.randn(len(real), 3))).mean()


def loss_fn(gan, real):
    return critic_loss(gan, real) + generator_loss(gan, real)


def train(steps=9):
    gan, (opt_g, opt_c), real = make()
    losses = []
    for i in range(steps):
        opt_c.zero_grad()
        loss = critic_loss(gan, real)
        loss.backward()
        opt_c.step()
        if i % 3 == 2:
            opt_g.zero_grad()
            generator_loss(gan, real).backward()
            opt_g.step()
        losses.append(loss.item())
    return gan, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("generator.0.weight", "generator.1.weight", "generator.3.weight", "generator.3.bias", "critic.0.weight", "critic.2.weight")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
