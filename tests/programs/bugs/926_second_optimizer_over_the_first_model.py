"""Two optimizers for generator and discriminator; both were given the discriminator."""

import torch
from torch import nn


class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Linear(2, 4)
        self.discriminator = nn.Linear(4, 1)

    def forward(self, noise):
        return self.discriminator(torch.tanh(self.generator(noise)))


def optimizers(discriminator, generator):
    d_optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.01)
    g_optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.01)  # <-- culprit
    return d_optimizer, g_optimizer


def make():
    torch.manual_seed(0)
    model = Gan()
    return model, optimizers(model.discriminator, model.generator), (torch.randn(8, 2), torch.randn(8, 4))


def loss_fn(model, batch):
    noise, real = batch
    return nn.functional.softplus(-model(noise)).mean() + nn.functional.softplus(-model.discriminator(real)).mean()


def train(steps=5):
    model, (d_optimizer, g_optimizer), (noise, real) = make()
    losses = []
    for _ in range(steps):
        d_optimizer.zero_grad()
        fake = torch.tanh(model.generator(noise)).detach()
        d_loss = nn.functional.softplus(model.discriminator(fake)).mean()
        d_loss = d_loss + nn.functional.softplus(-model.discriminator(real)).mean()
        d_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        g_loss = nn.functional.softplus(-model(noise)).mean()
        g_loss.backward()
        g_optimizer.step()
        losses.append(g_loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"discriminator.{n}": "trained" for n in ("weight", "bias")},
    **{f"generator.{n}": "excluded" for n in ("weight", "bias")},
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
