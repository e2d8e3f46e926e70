import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from adjoint import odesolve


class Dynamics(nn.Module):
    """dz/dt; the time of day enters as an angle."""

    def __init__(self, latent, width=16):
        super().__init__()
        self.inner = nn.Linear(latent + 2, width)
        self.outer = nn.Linear(width, latent)

    def forward(self, t, z):
        clock = torch.stack([torch.sin(t), torch.cos(t)]).expand(len(z), 2)
        return self.outer(torch.tanh(self.inner(torch.cat([z, clock], 1))))


class WindowEncoder(nn.Module):
    def __init__(self, channels, latent, width=16):
        super().__init__()
        self.conv = nn.Conv1d(channels, width, 3, padding=1)
        self.proj = nn.Linear(width, latent)

    def forward(self, window):
        return self.proj(torch.relu(self.conv(window)).mean(2))


class GlucoseODE(nn.Module):
    def __init__(self, latent, channels=2):
        super().__init__()
        self.encoder = WindowEncoder(channels, latent)
        self.dynamics = Dynamics(latent)
        self.readout = nn.Linear(latent, 1)
        self.event = nn.Sequential(nn.Linear(latent, latent), nn.ReLU(), nn.Linear(latent, 1))

    def forward(self, window, times):
        z0 = checkpoint(self.encoder, window, use_reentrant=False)
        path = odesolve(self.dynamics, times, z0)
        glucose = self.readout(path).squeeze(-1)
        return glucose.transpose(0, 1), self.event(path.mean(0)).squeeze(-1)
