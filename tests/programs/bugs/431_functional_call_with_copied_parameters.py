"""The model is called with a dict of cloned parameters; the optimizer still holds the model's own, which no loss sees.
Origin: made up after torch.func.functional_call questions."""
import torch
from torch import nn
from torch.func import functional_call


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    params = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}  # <-- culprit
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # <-- culprit
    return model, optimizer, (torch.randn(9, 4), torch.randn(9, 1), params)


def loss_fn(model, batch):
    x, y, params = batch
    return nn.functional.mse_loss(functional_call(model, params, (x,)), y)  # <-- culprit


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


KIND = "optimizer"
EXPECT = {n: "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {"?params": "unregistered"}
CAUSE = "other"

if __name__ == "__main__":
    train()
