"""A VAE's reconstruction term compares the clean input with the noisy input; the reconstruction is not in it.
Origin: a denoising VAE in a student repository; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class DenoisingVAE(nn.Module):
    def __init__(self, n=12, z=3):
        super().__init__()
        self.encoder = nn.Linear(n, 10)
        self.mu, self.logvar = nn.Linear(10, z), nn.Linear(10, z)
        self.decoder = nn.Sequential(nn.Linear(z, 10), nn.ReLU(), nn.Linear(10, n))

    def forward(self, x):
        h = F.relu(self.encoder(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z), mu, logvar


def make():
    torch.manual_seed(0)
    vae = DenoisingVAE()
    return vae, torch.optim.Adam(vae.parameters(), lr=1e-3), torch.randn(16, 12)


def loss_fn(vae, clean):
    noisy = clean + 0.3 * torch.randn_like(clean)
    x_hat, mu, logvar = vae(noisy)
    recon = F.mse_loss(noisy, clean, reduction="sum") / len(clean)  # <-- culprit
    kl = -0.5 * (1 + logvar - mu.square() - logvar.exp()).sum(1).mean()
    return recon + kl


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "loss"
EXPECT = {
    "encoder.weight": "trained",
    "encoder.bias": "trained",
    "mu.weight": "trained",
    "mu.bias": "trained",
    "logvar.weight": "trained",
    "logvar.bias": "trained",
    "decoder.0.weight": "unreachable",
    "decoder.0.bias": "unreachable",
    "decoder.2.weight": "unreachable",
    "decoder.2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
