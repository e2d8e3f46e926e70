"""Healthy: an auto-decoder. Each batch gets fresh latent codes with an optimizer of their own for some inner steps, then the decoder
takes a step. NEEDS_LOOP"""
import torch
from torch import nn


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 10), nn.Softplus(), nn.Linear(10, 6))

    def forward(self, z):
        return self.net(z)


def make():
    torch.manual_seed(0)
    decoder = Decoder()
    return decoder, torch.optim.Adam(decoder.parameters(), lr=1e-2), torch.randn(8, 6)


def loss_fn(decoder, x):
    z = torch.zeros(len(x), 3)
    return nn.functional.mse_loss(decoder(z), x)


def infer(decoder, x, steps=3):
    z = torch.zeros(len(x), 3, requires_grad=True)
    inner = torch.optim.SGD([z], lr=0.5)
    for _ in range(steps):
        inner.zero_grad()
        (nn.functional.mse_loss(decoder(z), x) + 0.01 * z.square().mean()).backward()
        inner.step()
    return z.detach()


def train(steps=4):
    decoder, optimizer, x = make()
    losses = []
    for _ in range(steps):
        z = infer(decoder, x)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(decoder(z), x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return decoder, losses


KIND = "healthy"
EXPECT = {f"net.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
