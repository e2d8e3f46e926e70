"""Two phases of 60 steps, both optimizers made at the top; the second trains the head on detached features. Origin: stage-wise training."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec, self.head = nn.Linear(6, 4), nn.Linear(4, 6), nn.Linear(4, 3)


def make():
    torch.manual_seed(0)
    net = Net()
    first = torch.optim.Adam([*net.enc.parameters(), *net.dec.parameters()], lr=1e-2)
    second = torch.optim.Adam(net.head.parameters(), lr=1e-2)
    return net, [first, second], (torch.randn(10, 6), torch.randint(0, 3, (10,)))


def reconstruct(net, b):
    return F.mse_loss(net.dec(torch.relu(net.enc(b[0]))), b[0])


def classify(net, b):
    return F.cross_entropy(net.head(torch.relu(net.enc(b[0])).detach()), b[1])


def loss_fn(net, b):
    return reconstruct(net, b) + classify(net, b)


def train(steps=60):
    net, (first, second), batch = make()
    losses = []
    for optimizer, objective in ((first, reconstruct), (second, classify)):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = objective(net, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return net, losses


KIND = "healthy"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "dec.weight": "trained",
    "dec.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
