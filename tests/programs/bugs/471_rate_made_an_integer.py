"""Numbers from the command line are made integers, all of them, also the learning rate.
Origin: made up after config parsing bugs."""
import torch
from torch import nn


def parse(pairs):
    return {key: int(float(value)) for key, value in (pair.split("=") for pair in pairs)}  # <-- culprit


def build():
    torch.manual_seed(0)
    args = parse(["hidden=6", "lr=0.01", "epochs=3"])
    model = nn.Sequential(nn.Linear(4, args["hidden"]), nn.ReLU(), nn.Linear(args["hidden"], 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=args["lr"])  # <-- culprit
    return model, optimizer, (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def make():
    return build()


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
