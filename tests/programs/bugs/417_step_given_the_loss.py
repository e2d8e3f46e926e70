"""`optimizer.step(loss)`: the loss is taken for a closure and called. The TypeError ends in the loop's catch-all.
Origin: made up after "'Tensor' object is not callable" questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.5), (torch.randn(6, 3), torch.rand(6, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(torch.sigmoid(model(batch[0])), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for i in range(steps):
        try:
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step(loss)  # <-- culprit
        except Exception as error:  # <-- culprit
            print(f"batch {i} skipped: {error}")
            continue
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
