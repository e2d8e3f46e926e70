"""A sparse autoencoder: only the k largest latents pass, by topk and scatter; the decoder's columns are put back to norm one after each step.
Origin: dictionary learning on activations."""
import torch
from torch import nn
import torch.nn.functional as F


class SAE(nn.Module):
    def __init__(self, d=8, n=12, k=3):
        super().__init__()
        self.k = k
        self.before = nn.Parameter(torch.zeros(d))
        self.encoder = nn.Linear(d, n)
        self.decoder = nn.Linear(n, d, bias=False)
        self.normalise()

    @torch.no_grad()
    def normalise(self):
        self.decoder.weight.div_(self.decoder.weight.norm(dim=0, keepdim=True))

    def forward(self, x):
        latent = self.encoder(x - self.before)
        value, index = latent.topk(self.k, dim=-1)
        sparse = torch.zeros_like(latent).scatter(-1, index, F.relu(value))
        self.fired = (sparse > 0).any(0).sum().item()
        return self.decoder(sparse) + self.before


def make():
    torch.manual_seed(0)
    model = SAE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(20, 8)


def loss_fn(model, x):
    return (model(x) - x).pow(2).sum(-1).mean()


def train(steps=4):
    model, optimizer, x = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, x)
        loss.backward()
        optimizer.step()
        model.normalise()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "before": "trained",
    "encoder.weight": "trained",
    "encoder.bias": "trained",
    "decoder.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
