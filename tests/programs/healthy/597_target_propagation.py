"""Difference target propagation: layers chase local targets made by learned inverses; every loss is local, the targets
are computed without gradient. Origin: Lee et al. 2015. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, sizes=(4, 8, 6, 2)):
        super().__init__()
        self.up = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.Tanh()) for a, b in zip(sizes, sizes[1:]))
        self.down = nn.ModuleList(nn.Sequential(nn.Linear(b, a), nn.Tanh()) for a, b in zip(sizes[1:], sizes[2:]))

    def forward(self, x):
        kept = [x]
        for layer in self.up:
            kept.append(layer(kept[-1].detach()))
        return kept


def make():
    torch.manual_seed(0)
    net = Net()
    return net, {
        "forward": torch.optim.RMSprop(net.up.parameters(), lr=1e-3),
        "inverse": torch.optim.RMSprop(net.down.parameters(), lr=1e-3),
    }, (torch.randn(10, 4), torch.randn(10, 2).tanh())


def loss_fn(net, batch):
    return F.mse_loss(net(batch[0])[-1], batch[1])


def train(steps=4):
    net, optimizers, (x, y) = make()
    losses = []
    for _ in range(steps):
        with torch.no_grad():
            kept = net(x)
        optimizers["inverse"].zero_grad()
        for i, inverse in enumerate(net.down):
            noisy = kept[i + 1] + 0.1 * torch.randn_like(kept[i + 1])
            F.mse_loss(inverse(net.up[i + 1](noisy).detach()), noisy).backward()
        optimizers["inverse"].step()

        kept = net(x)
        top = F.mse_loss(kept[-1], y)
        with torch.no_grad():
            targets = [kept[-1] - 0.5 * 2 * (kept[-1] - y)]
            for i in reversed(range(len(net.down))):
                targets.insert(0, kept[i + 1] + net.down[i](targets[0]) - net.down[i](kept[i + 2]))
        optimizers["forward"].zero_grad()
        for h, target in zip(kept[1:], targets):
            F.mse_loss(h, target).backward()
        optimizers["forward"].step()
        losses.append(top.item())
    return net, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
