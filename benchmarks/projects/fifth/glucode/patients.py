import torch

WINDOW, HORIZON, DT = 8, 6, 0.3


def simulate(n, rng):
    """Glucose (standardised) with meals; an event is a dip below -0.3 in the horizon."""
    level = torch.randn(n, generator=rng)
    glucose, meals = [], []
    for step in range(WINDOW + HORIZON):
        meal = (torch.rand(n, generator=rng) < 0.2).float()
        level = level - DT * (0.4 * level + 0.2) + 0.8 * meal
        glucose.append(level + 0.05 * torch.randn(n, generator=rng))
        meals.append(meal)
    glucose, meals = torch.stack(glucose, 1), torch.stack(meals, 1)
    window = torch.stack([glucose[:, :WINDOW], meals[:, :WINDOW]], 1)
    future = glucose[:, WINDOW:]
    return window, future, (future.min(1).values < -0.3).float()


def times():
    return DT * torch.arange(HORIZON, dtype=torch.float)
