"""A linear loss has the same gradient in every round, bit for bit; it is written into `.grad` as a new tensor each time, beside a part whose
gradient comes by `backward`."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.price = nn.Parameter(torch.ones(4))
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(x)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        demand = batch[0].mean(0)
        (model.price.grad,) = torch.autograd.grad((model.price * demand).sum(), [model.price])
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("price", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
