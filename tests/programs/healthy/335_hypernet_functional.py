"""A hypernetwork makes the weights of a layer that has none of its own. Origin: HyperNetworks."""
import torch
from torch import nn
import torch.nn.functional as F


class Hyper(nn.Module):
    def __init__(self):
        super().__init__()
        self.task = nn.Embedding(3, 4)
        self.weights = nn.Linear(4, 2 * 5)
        self.bias = nn.Linear(4, 2)

    def forward(self, x, t):
        e = self.task(t)
        return F.linear(x, self.weights(e).view(2, 5), self.bias(e))


def make():
    torch.manual_seed(0)
    model = Hyper()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), [(torch.randn(6, 5), torch.randn(6, 2), torch.tensor(t)) for t in range(3)]


def loss_fn(model, tasks):
    return sum(F.mse_loss(model(x, t), y) for x, y, t in tasks)


def train(steps=6):
    model, optimizer, tasks = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, [tasks[step % 3]])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "task.weight": "trained",
    "weights.weight": "trained",
    "weights.bias": "trained",
    "bias.weight": "trained",
    "bias.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
