"""A DCGAN with two optimizers. The detach in the discriminator's turn belongs there: everything trains."""

import torch
from torch import nn

NOISE, WIDTH = 64, 64


def up(inputs, outputs):
    return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def down(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]


generator = nn.Sequential(
    nn.ConvTranspose2d(NOISE, 8 * WIDTH, 4, bias=False),
    nn.BatchNorm2d(8 * WIDTH),
    nn.ReLU(),
    *up(8 * WIDTH, 4 * WIDTH),
    *up(4 * WIDTH, 2 * WIDTH),
    nn.ConvTranspose2d(2 * WIDTH, 3, 4, 2, 1),
    nn.Tanh(),
)
discriminator = nn.Sequential(
    nn.Conv2d(3, 2 * WIDTH, 4, 2, 1),
    nn.LeakyReLU(0.2),
    *down(2 * WIDTH, 4 * WIDTH),
    *down(4 * WIDTH, 8 * WIDTH),
    nn.Conv2d(8 * WIDTH, 1, 4),
    nn.Flatten(0),
)

torch.manual_seed(0)
criterion = nn.BCEWithLogitsLoss()
optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
real, fake = torch.ones(4), torch.zeros(4)

for step in range(4):
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    made = generator(torch.randn(4, NOISE, 1, 1))

    optimizer_d.zero_grad()
    loss_d = criterion(discriminator(images), real) + criterion(discriminator(made.detach()), fake)
    loss_d.backward()
    optimizer_d.step()

    optimizer_g.zero_grad()
    loss_g = criterion(discriminator(made), real)
    loss_g.backward()
    optimizer_g.step()
    print(f"step {step}: loss {loss_d.item():.4f} {loss_g.item():.4f}")
