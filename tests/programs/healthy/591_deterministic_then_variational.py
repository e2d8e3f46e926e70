"""The autoencoder is deterministic for its first eight steps; only then does it sample and weigh the divergence, so the
variance head rests until then. Origin: KL warm-up recipes. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.Softplus())
        self.mean, self.logvar = nn.Linear(12, 2), nn.Linear(12, 2)
        self.decoder = nn.Linear(2, 6)
        self.beta = 0.0

    def forward(self, x):
        h = self.body(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean
        if self.beta > 0:
            z = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        kl = -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum(1).mean()
        return F.mse_loss(self.decoder(z), x) + self.beta * kl


def make():
    torch.manual_seed(0)
    model = VAE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(12, 6)


def loss_fn(model, x):
    return model(x)


def train(steps=14, warm=8):
    model, optimizer, x = make()
    losses = []
    for step in range(steps):
        model.beta = min(1.0, max(0.0, (step - warm + 1) / 4))
        optimizer.zero_grad()
        loss = loss_fn(model, x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
