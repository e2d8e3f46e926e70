"""L-BFGS with a closure that computes the loss and forgets `backward()`.
Origin: made up after LBFGS questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1))
    return model, torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4), (torch.randn(12, 2), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)  # <-- culprit
        losses.append(loss.item())
        return loss  # <-- culprit

    for _ in range(steps):
        optimizer.step(closure)  # <-- culprit
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
