"""Learnable bin edges: bucketize against them, then embed the bin. Only the embedding learns; the edges have a part in an index.
Origin: "gradient of torch.bucketize/searchsorted with respect to boundaries" question; retold."""
import torch
from torch import nn


class Binning(nn.Module):
    def __init__(self, bins=6, d=4):
        super().__init__()
        self.edges = nn.Parameter(torch.linspace(-2, 2, bins - 1))
        self.table = nn.Embedding(bins, d)

    def forward(self, x):
        index = torch.bucketize(x.contiguous(), self.edges)  # <-- culprit
        return self.table(index)


class TabNet(nn.Module):
    def __init__(self, columns=3):
        super().__init__()
        self.columns = nn.ModuleList(Binning() for _ in range(columns))
        self.mlp = nn.Sequential(nn.Linear(4 * columns, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, x):
        parts = [column(x[:, i]) for i, column in enumerate(self.columns)]
        return self.mlp(torch.cat(parts, -1)).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = TabNet()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(30, 3), torch.randn(30))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.huber_loss(model(x), y)


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
    "columns.0.edges": "unreachable",
    "columns.1.edges": "unreachable",
    "columns.2.edges": "unreachable",
    "columns.0.table.weight": "trained",
    "columns.1.table.weight": "trained",
    "columns.2.table.weight": "trained",
    "mlp.0.weight": "trained",
    "mlp.0.bias": "trained",
    "mlp.2.weight": "trained",
    "mlp.2.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
