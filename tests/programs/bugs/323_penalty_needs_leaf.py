"""The gradient penalty wants the derivative by the latent, so the latent is detached and given requires_grad_(); the decoder
then goes on with this copy.
Origin: gradient penalty / "One of the differentiated Tensors appears to not have been used" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SmoothAE(nn.Module):
    def __init__(self, d=8, z=3, h=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d, h), nn.Softplus(), nn.Linear(h, z))
        self.decoder = nn.Sequential(nn.Linear(z, h), nn.Softplus(), nn.Linear(h, d))

    def forward(self, x):
        z = self.encoder(x)
        z = z.detach().requires_grad_()  # <-- culprit
        return z, self.decoder(z)


def jacobian_norm(out, z):
    (g,) = torch.autograd.grad(out.sum(), z, create_graph=True)
    return g.square().sum(1).mean()


def loss_fn(model, x, weight=0.1):
    z, out = model(x)
    return F.mse_loss(out, x) + weight * jacobian_norm(out, z)


def make():
    torch.manual_seed(0)
    model = SmoothAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return model, optimizer, torch.randn(16, 8)


def train(steps=3):
    model, optimizer, x = make()
    losses = []
    for step in range(steps):
        loss = loss_fn(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "encoder.0.weight": "unreachable",
    "encoder.0.bias": "unreachable",
    "encoder.2.weight": "unreachable",
    "encoder.2.bias": "unreachable",
    "decoder.0.weight": "trained",
    "decoder.0.bias": "trained",
    "decoder.2.weight": "trained",
    "decoder.2.bias": "trained",
    "?z": "unregistered",
}
CAUSE = "rewrapped"

if __name__ == "__main__":
    train()
