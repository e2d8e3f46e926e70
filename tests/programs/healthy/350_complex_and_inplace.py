"""Complex parameters (Fourier layer), in-place activations and additions. Origin: Fourier neural operator."""
import torch
from torch import nn
import torch.nn.functional as F


class Spectral(nn.Module):
    def __init__(self, width=3, modes=4):
        super().__init__()
        self.lift = nn.Linear(1, width)
        self.weights = nn.Parameter(torch.randn(width, width, modes, dtype=torch.cfloat) * 0.2)
        self.skip = nn.Conv1d(width, width, 1)
        self.out = nn.Linear(width, 1)
        self.modes = modes

    def forward(self, x):
        h = self.lift(x).transpose(1, 2)
        spec = torch.fft.rfft(h)
        out = torch.zeros_like(spec)
        out[..., :self.modes] = torch.einsum("bim,iom->bom", spec[..., :self.modes], self.weights)
        y = torch.fft.irfft(out, n=h.shape[-1])
        y += self.skip(h)
        return self.out(F.leaky_relu_(y, 0.1).transpose(1, 2))


def make():
    torch.manual_seed(0)
    model = Spectral()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(5, 12, 1), torch.randn(5, 12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "weights": "trained",
    "lift.weight": "trained",
    "lift.bias": "trained",
    "skip.weight": "trained",
    "skip.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
