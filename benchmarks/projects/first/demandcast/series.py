import math

import torch
from torch.utils.data import DataLoader, TensorDataset


def weekly_series(days, seed):
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(days).float()
    return 2.0 + torch.sin(2 * math.pi * t / 7) + 0.01 * t + 0.1 * torch.randn(days, generator=g)


def windows(series, history, horizon):
    past, weekday, future = [], [], []
    for s in range(len(series) - history - horizon):
        past.append(series[s:s + history])
        weekday.append((s + history) % 7)
        future.append(series[s + history:s + history + horizon])
    return torch.stack(past), torch.tensor(weekday), torch.stack(future)


def loader(series, history, horizon, batch_size):
    ds = TensorDataset(*windows(series, history, horizon))
    return DataLoader(ds, batch_size=batch_size, shuffle=True, drop_last=True)
