"""A monotone line search that puts the old parameters back when the loss did not fall - with the comparison the wrong way round.
Origin: made up after trust-region and natural-gradient code."""
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(30, 4), torch.randn(30, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        before = parameters_to_vector(model.parameters()).detach().clone()
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            if loss_fn(model, batch) < loss:  # <-- culprit
                vector_to_parameters(before, model.parameters())  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
