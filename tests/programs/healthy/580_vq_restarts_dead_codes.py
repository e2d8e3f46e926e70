"""VQ-VAE with both stop-gradients; codes that nobody chose are thrown onto encoder outputs every other step.
Origin: van den Oord et al. 2017; restarts as in Jukebox."""
import torch
from torch import nn
import torch.nn.functional as F


class Quantiser(nn.Module):
    def __init__(self, codes=6, d=4):
        super().__init__()
        self.codebook = nn.Embedding(codes, d)
        self.register_buffer("usage", torch.zeros(codes))

    def forward(self, z):
        index = torch.cdist(z, self.codebook.weight).argmin(1)
        self.usage.add_(torch.bincount(index, minlength=len(self.usage)))
        q = self.codebook(index)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss

    @torch.no_grad()
    def restart(self, z):
        dead = self.usage < 1
        pick = torch.randint(0, len(z), (int(dead.sum()),))
        self.codebook.weight[dead] = z[pick]
        self.usage.zero_()


class VQVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 4))
        self.quantiser = Quantiser()
        self.decoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 5))

    def forward(self, x):
        q, loss = self.quantiser(self.encoder(x))
        return self.decoder(q), loss


def make():
    torch.manual_seed(0)
    model = VQVAE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 5)


def loss_fn(model, x):
    out, vq = model(x)
    return F.mse_loss(out, x) + vq


def train(steps=8):
    model, optimizer, x = make()
    losses = []
    for step in range(steps):
        loss = loss_fn(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 2:
            with torch.no_grad():
                model.quantiser.restart(model.encoder(x))
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
