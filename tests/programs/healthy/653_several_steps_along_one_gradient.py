"""Each gradient is stepped with as long as the loss falls: a line search by repeated steps, four at most."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        best = loss.item()
        for _ in range(4):
            optimizer.step()
            with torch.no_grad():
                now = loss_fn(model, batch).item()
            if now >= best:
                break
            best = now
        losses.append(best)
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
