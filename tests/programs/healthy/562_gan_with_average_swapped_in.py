"""Healthy: a GAN with two rates, three critic steps for each of the generator, and an average of the generator that is swapped in for samples and
out again."""
import contextlib

import torch
from torch import nn


class Average:
    def __init__(self, model, decay=0.9):
        self.model, self.decay = model, decay
        self.values = {n: p.detach().clone() for n, p in model.named_parameters()}

    def update(self):
        with torch.no_grad():
            for n, p in self.model.named_parameters():
                self.values[n].mul_(self.decay).add_(p, alpha=1 - self.decay)

    @contextlib.contextmanager
    def swapped_in(self):
        kept = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.model.load_state_dict(self.values)
        try:
            yield self.model
        finally:
            self.model.load_state_dict(kept)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    pair = Pair()
    optimizers = [
        torch.optim.Adam(pair.critic.parameters(), lr=4e-4, betas=(0.0, 0.9)),
        torch.optim.Adam(pair.generator.parameters(), lr=1e-4, betas=(0.0, 0.9)),
    ]
    return pair, optimizers, torch.randn(16, 2) + 2


def loss_fn(pair, real):
    fake = pair.generator(torch.randn(len(real), 3))
    return torch.relu(1 - pair.critic(real)).mean() + torch.relu(1 + pair.critic(fake)).mean()


def train(steps=9):
    pair, (critic_optimizer, generator_optimizer), real = make()
    average, losses = Average(pair.generator), []
    for step in range(steps):
        fake = pair.generator(torch.randn(len(real), 3)).detach()
        loss = torch.relu(1 - pair.critic(real)).mean() + torch.relu(1 + pair.critic(fake)).mean()
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()
        losses.append(loss.item())
        if step % 3 == 2:
            generator_optimizer.zero_grad()
            (-pair.critic(pair.generator(torch.randn(16, 3))).mean()).backward()
            generator_optimizer.step()
            average.update()
            with average.swapped_in() as generator, torch.no_grad():
                generator(torch.randn(2, 3))
    return pair, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {f"{part}.{n}": "trained" for part in ("generator", "critic") for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
