"""A symmetric weight by a parametrization of torch.nn.utils.parametrize; its forward works on X.data "to be safe". The original of the weight
gets nothing.
Origin: issue on parametrizations with original.grad None; retold."""
import torch
from torch import nn
from torch.nn.utils import parametrize


class Symmetric(nn.Module):
    def forward(self, X):
        upper = X.data.triu()  # <-- culprit
        return upper + upper.triu(1).T


class Quadratic(nn.Module):
    def __init__(self, n=5):
        super().__init__()
        self.metric = nn.Linear(n, n, bias=False)
        parametrize.register_parametrization(self.metric, "weight", Symmetric())
        self.shift = nn.Linear(n, 1)

    def forward(self, x):
        return (x * self.metric(x)).sum(-1, keepdim=True) + self.shift(x)


def make():
    torch.manual_seed(0)
    model = Quadratic()
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(9, 5), torch.randn(9, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "metric.parametrizations.weight.original": "unreachable",
    "shift.weight": "trained",
    "shift.bias": "trained",
}
CAUSE = "data_access"

if __name__ == "__main__":
    train()
