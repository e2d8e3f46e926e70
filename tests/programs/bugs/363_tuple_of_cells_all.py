"""A stacked GRU made from cells, kept in a tuple. Only the norm after it is registered.
Origin: "submodules in a tuple" sibling of the list-of-layers threads; retold."""
import torch
from torch import nn


class StackedGRU(nn.Module):
    def __init__(self, n_in, n_hidden, depth=2):
        super().__init__()
        sizes = [n_in] + [n_hidden] * (depth - 1)
        self.n_hidden = n_hidden
        self.norm = nn.LayerNorm(n_hidden)
        self.cells = tuple(nn.GRUCell(s, n_hidden, bias=False) for s in sizes)  # <-- culprit

    def forward(self, x):
        states = [x.new_zeros(x.shape[0], self.n_hidden) for _ in self.cells]
        for t in range(x.shape[1]):
            h = x[:, t]
            for i, cell in enumerate(self.cells):
                states[i] = h = cell(h, states[i])
        return self.norm(states[-1])


def make():
    torch.manual_seed(0)
    model = StackedGRU(3, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(5, 6, 3), torch.rand(5, 4))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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


KIND = "registration"
EXPECT = {
    "norm.weight": "trained",
    "norm.bias": "trained",
    "?cells.0.weight_ih": "unregistered",
    "?cells.0.weight_hh": "unregistered",
    "?cells.1.weight_ih": "unregistered",
    "?cells.1.weight_hh": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
