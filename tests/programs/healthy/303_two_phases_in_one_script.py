"""First the autoencoder, then the probe on frozen features with an optimizer of its own. Origin: two-phase scripts."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(6, 4)
        self.dec = nn.Linear(4, 6)
        self.probe = nn.Linear(4, 3)


def make():
    torch.manual_seed(0)
    net = Net()
    first = torch.optim.Adam([*net.enc.parameters(), *net.dec.parameters()], lr=1e-2)
    second = torch.optim.Adam(net.probe.parameters(), lr=1e-2)
    return net, [first, second], (torch.randn(10, 6), torch.randint(0, 3, (10,)))


def reconstruction(net, batch):
    return F.mse_loss(net.dec(torch.relu(net.enc(batch[0]))), batch[0])


def probing(net, batch):
    with torch.no_grad():
        z = torch.relu(net.enc(batch[0]))
    return F.cross_entropy(net.probe(z), batch[1])


def loss_fn(net, batch):
    return reconstruction(net, batch) + probing(net, batch)


def train(steps=4):
    net, (first, second), batch = make()
    losses = []
    for optimizer, objective in ((first, reconstruction), (second, probing)):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = objective(net, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        net.enc.requires_grad_(True)
    return net, losses


KIND = "healthy"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "dec.weight": "trained",
    "dec.bias": "trained",
    "probe.weight": "trained",
    "probe.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
