"""Learning to hash: the code is sign() of the projection, and the pairwise loss is computed on the codes. sign has a backward
that returns zeros, so everything before stands still; the loss only moves by the scale.
Origin: deep hashing questions ("torch.sign gradient zero, network does not train"); retold."""
import torch
from torch import nn


class HashNet(nn.Module):
    def __init__(self, d=10, bits=6):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, bits))
        self.scale = nn.Parameter(torch.tensor(1.0))

    def code(self, x):
        return torch.sign(self.net(x))  # <-- culprit

    def forward(self, a, b):
        ca, cb = self.code(a), self.code(b)
        return self.scale * (ca * cb).mean(dim=1)


def pair_loss(similarity, same):
    return torch.log1p(torch.exp(-similarity * (2 * same - 1))).mean()


def make():
    torch.manual_seed(0)
    net = HashNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    a, b = torch.randn(12, 10), torch.randn(12, 10)
    return net, optimizer, {"a": a, "b": b, "same": torch.randint(0, 2, (12,)).float()}


def loss_fn(net, batch):
    return pair_loss(net(batch["a"], batch["b"]), batch["same"])


def train(steps=3):
    net, optimizer, batch = make()
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return net, history


KIND = "forward"
EXPECT = {
    "scale": "trained",
    "net.0.weight": "blocked",
    "net.0.bias": "blocked",
    "net.2.weight": "blocked",
    "net.2.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
