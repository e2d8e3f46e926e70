"""A hypernetwork writes the weights that it predicts into an ordinary layer by `.data`. The layer is overwritten on every
pass, and no gradient finds its way back to the hypernetwork.
Origin: stackoverflow / forum "how to use the output of one network as the weights of another"; retold."""
import torch
from torch import nn


class HyperNet(nn.Module):
    def __init__(self, z_dim, n_out):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(z_dim, 10), nn.Tanh(), nn.Linear(10, n_out))

    def forward(self, z):
        return self.body(z)


class TaskNet(nn.Module):
    def __init__(self, d=4, h=6, z_dim=3):
        super().__init__()
        self.first = nn.Linear(d, h)
        self.main = nn.Linear(h, 1, bias=False)
        self.hyper = HyperNet(z_dim, h)

    def forward(self, x, z):
        w = self.hyper(z)
        self.main.weight.data = w.view(1, -1)  # <-- culprit
        return self.main(torch.relu(self.first(x)))


def make():
    torch.manual_seed(0)
    model = TaskNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    z = torch.randn(3)
    return model, optimizer, (torch.randn(16, 4), z, torch.randn(16, 1))


def loss_fn(model, batch):
    x, z, y = batch
    return ((model(x, z) - y) ** 2).mean()


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for i in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "first.weight": "trained",
    "first.bias": "trained",
    "main.weight": "replaced",
    "hyper.body.0.weight": "unreachable",
    "hyper.body.0.bias": "unreachable",
    "hyper.body.2.weight": "unreachable",
    "hyper.body.2.bias": "unreachable",
}
CAUSE = "data_access"

if __name__ == "__main__":
    train()
