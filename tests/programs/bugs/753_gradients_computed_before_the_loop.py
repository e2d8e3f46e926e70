"""The gradients of the first batch are asked for before the loop, and the loop writes them into `.grad` in every round: the loss is
computed anew, its gradient is not."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    model, optimizer, batch = make()
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss_fn(model, batch), parameters)  # <-- culprit
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, (torch.randn(8, 4), torch.randn(8, 1)))
        for p, g in zip(parameters, gradients):
            p.grad = g  # <-- culprit
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
