"""L-BFGS gets its inner iterations from a budget that is divided by the outer rounds; there are more rounds than budget.
Origin: physics-informed training scripts; retold."""
import torch
from torch import nn


def make(budget=20, rounds=30):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    inner = budget // rounds  # <-- culprit
    optimizer = torch.optim.LBFGS(model.parameters(), lr=1.0, max_iter=inner, line_search_fn="strong_wolfe")  # <-- culprit
    x = torch.linspace(0, 1, 20)[:, None]
    return model, optimizer, (x, torch.exp(-x))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(rounds=4):
    model, optimizer, batch = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        return loss

    for _ in range(rounds):
        losses.append(optimizer.step(closure).item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
