"""A hypernetwork's weights are put into a conv by deleting the Parameter and setting a tensor, in each forward, of which the value is detached so
that it can be pickled.
Origin: "set weights of a layer from another network and keep gradients" question; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class HyperConv(nn.Module):
    def __init__(self, z=3):
        super().__init__()
        self.hyper = nn.Linear(z, 2 * 1 * 3)
        self.bias = nn.Parameter(torch.zeros(2))
        self.fc = nn.Linear(2, 2)

    def forward(self, x, z):
        kernel = self.hyper(z).view(2, 1, 3)
        self.kernel = kernel.detach()  # <-- culprit
        return self.fc(F.conv1d(x, self.kernel, self.bias).relu().mean(-1))


def make():
    torch.manual_seed(0)
    model = HyperConv()
    batch = (torch.randn(6, 1, 8), torch.randn(3), torch.randint(0, 2, (6,)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), batch


def loss_fn(model, batch):
    x, z, y = batch
    return F.cross_entropy(model(x, z), y)


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
    "hyper.weight": "unreachable",
    "hyper.bias": "unreachable",
    "bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
