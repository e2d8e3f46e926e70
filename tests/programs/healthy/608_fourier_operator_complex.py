"""A Fourier neural operator: complex weights on the lowest modes, a pointwise path beside, the imaginary part of the mean
mode has no effect. Origin: Li et al. 2021."""
import torch
from torch import nn


class Spectral(nn.Module):
    def __init__(self, c, modes):
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.randn(c, c, modes, dtype=torch.cfloat) / c**2)

    def forward(self, x):
        f = torch.fft.rfft(x)
        out = torch.zeros_like(f)
        out[..., : self.modes] = torch.einsum("bim,iom->bom", f[..., : self.modes], self.weight)
        return torch.fft.irfft(out, n=x.shape[-1])


class FNO(nn.Module):
    def __init__(self, c=4, modes=5, depth=2):
        super().__init__()
        self.lift = nn.Conv1d(2, c, 1)
        self.spectral = nn.ModuleList(Spectral(c, modes) for _ in range(depth))
        self.local = nn.ModuleList(nn.Conv1d(c, c, 1) for _ in range(depth))
        self.project = nn.Conv1d(c, 1, 1)

    def forward(self, u):
        grid = torch.linspace(0, 1, u.shape[-1]).expand_as(u)
        h = self.lift(torch.cat([u, grid], 1))
        for i, (s, w) in enumerate(zip(self.spectral, self.local)):
            h = s(h) + w(h)
            if i + 1 < len(self.spectral):
                h = torch.nn.functional.gelu(h)
        return self.project(h)


def make():
    torch.manual_seed(0)
    model = FNO()
    u = torch.randn(6, 1, 32).cumsum(-1)
    return model, torch.optim.Adam(model.parameters(), lr=5e-3), (u, u.roll(1, -1) - u)


def loss_fn(model, batch):
    u, target = batch
    return (torch.linalg.vector_norm(model(u) - target, dim=(1, 2)) / torch.linalg.vector_norm(target, dim=(1, 2))).mean()


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
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
