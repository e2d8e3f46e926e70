"""The generator should be trained at every n-th batch: `i % n_critic == n_critic` is never true.
Origin: made up after WGAN training loops."""
import torch
from torch import nn


class WGAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    gan = WGAN()
    optimizers = [torch.optim.RMSprop(gan.generator.parameters(), lr=5e-4), torch.optim.RMSprop(gan.critic.parameters(), lr=5e-4)]
    return gan, optimizers, torch.randn(16, 2) + 2


def loss_fn(gan, real):
    fake = gan.generator(torch.randn(len(real), 3))
    return gan.critic(fake).mean() - gan.critic(real).mean()


def train(steps=6, n_critic=3):
    gan, (opt_g, opt_c), real = make()
    losses = []
    for i in range(steps):
        opt_c.zero_grad()
        with torch.no_grad():
            fake = gan.generator(torch.randn(len(real), 3))
        loss_c = gan.critic(fake).mean() - gan.critic(real).mean()
        loss_c.backward()
        opt_c.step()
        for p in gan.critic.parameters():
            p.data.clamp_(-0.5, 0.5)
        if i % n_critic == n_critic:  # <-- culprit
            opt_g.zero_grad()
            loss_g = -gan.critic(gan.generator(torch.randn(len(real), 3))).mean()
            loss_g.backward()
            opt_g.step()
        losses.append(loss_c.item())
    return gan, losses


KIND = "loop"
EXPECT = {f"generator.{n}": "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {
    "critic.0.weight": "trained", "critic.0.bias": "trained", "critic.2.weight": "trained", "critic.2.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
