"""A linear decay written with // : the factor is 0 from the first epoch on (1 only at the very end would be worse).
Origin: made up after integer-division slips in LambdaLR."""
import torch
from torch import nn


def factor(epoch, total=100):
    return (total - epoch - 1) // total  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), nn.ELU(), nn.Linear(6, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return model, optimizer, (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=factor)  # <-- culprit
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
