import torch
from torch import nn


class Weighting(nn.Module):
    """Homoscedastic uncertainty, one log variance per task."""

    def __init__(self, tasks):
        super().__init__()
        self.log_vars = nn.ParameterDict({t: nn.Parameter(torch.zeros(())) for t in tasks})

    def combine(self, losses):
        total = 0.0
        for key, value in losses.items():
            s = self.log_vars[key]
            total = total + torch.exp(-s) * value + 0.5 * s
        return total


class HomeNet(nn.Module):
    def __init__(self, sensors, hidden, tasks):
        super().__init__()
        self.trunk = nn.GRU(sensors, hidden, batch_first=True)
        self.heads = nn.ModuleDict({
            t: nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1)) for t in tasks
        })
        self.weighting = Weighting(tasks)

    def forward(self, x):
        last = self.trunk(x)[0][:, -1]
        return {t: head(last).squeeze(-1) for t, head in self.heads.items()}
