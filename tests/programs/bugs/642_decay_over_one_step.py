"""A linear decay to zero, stepped at the head of each round as in old code. Its length is given in epochs although it is stepped per batch,
and there is one epoch: the rate is zero before the first update.
Origin: "learning rate is 0 from the beginning" with get_linear_schedule-like code; retold."""
import torch
from torch import nn
from torch.optim.lr_scheduler import PolynomialLR


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 6), nn.Flatten(), nn.Linear(18, 4))
    return model, torch.optim.Adam(model.parameters(), lr=5e-4), (torch.randint(0, 20, (10, 3)), torch.randint(0, 4, (10,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4, num_epochs=1):
    model, optimizer, batch = make()
    scheduler = PolynomialLR(optimizer, total_iters=num_epochs, power=1.0)  # <-- culprit
    losses = []
    for _ in range(steps):
        scheduler.step()  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
