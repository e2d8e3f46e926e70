"""The return of forward is indented one level too deep: the loop over the layers ends after the first.
Origin: stackoverflow "only first layer of ModuleList is trained"; retold."""
import torch
from torch import nn


class ResMLP(nn.Module):
    def __init__(self, d=6, depth=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.norm = nn.LayerNorm(d)

    def forward(self, x):
        for layer in self.layers:
            x = x + torch.relu(layer(x))
            return self.norm(x)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = ResMLP()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(9, 6), torch.randint(0, 6, (9,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "layers.0.weight": "trained",
    "layers.0.bias": "trained",
    "norm.weight": "trained",
    "norm.bias": "trained",
    "layers.1.weight": "unreachable",
    "layers.1.bias": "unreachable",
    "layers.2.weight": "unreachable",
    "layers.2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
