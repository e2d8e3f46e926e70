"""Three models in a dict with an optimizer each. The step is dedented by one level and so hits only the last of them.
Origin: made up after ensembles trained in one loop."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    ensemble = nn.ModuleDict({name: nn.Sequential(nn.Linear(3, 5), nn.ELU(), nn.Linear(5, 1)) for name in ("a", "b", "c")})
    optimizers = {name: torch.optim.SGD(member.parameters(), lr=0.05, momentum=0.9) for name, member in ensemble.items()}
    return ensemble, optimizers, (torch.randn(20, 3), torch.randn(20, 1))


def loss_fn(ensemble, batch):
    x, y = batch
    return sum(nn.functional.mse_loss(member(x), y) for member in ensemble.values())


def train(steps=3):
    ensemble, optimizers, (x, y) = make()
    losses = []
    for _ in range(steps):
        total = 0.0
        for name, member in ensemble.items():
            loss = nn.functional.mse_loss(member(x), y)
            optimizers[name].zero_grad()
            loss.backward()
            total += loss.item()
        optimizers[name].step()  # <-- culprit
        losses.append(total)
    return ensemble, losses


KIND = "loop"
EXPECT = {f"{m}.{n}": "trained" if m == "c" else "blocked" for m in "abc" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
