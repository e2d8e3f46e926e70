"""A recursive function replaces every BatchNorm by GroupNorm (small batches). It runs after the optimizer was made.
Origin: "replace all BatchNorm layers" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def batch_to_group(module, groups=2):
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.GroupNorm(groups, child.num_features))  # <-- culprit
        else:
            batch_to_group(child, groups)


class Encoder(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(2, c, 3, bias=False), nn.BatchNorm2d(c), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(c, c, 3, bias=False), nn.BatchNorm2d(c), nn.ReLU())
        self.fc = nn.Linear(c, 3)

    def forward(self, x):
        return self.fc(self.block2(self.block1(x)).mean((2, 3)))


def setup(lr):
    net = Encoder()
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    batch_to_group(net)  # <-- culprit
    return net, opt


def make():
    torch.manual_seed(0)
    net, opt = setup(0.05)
    return net, opt, (torch.randn(2, 2, 9, 9), torch.randint(0, 3, (2,)))


def loss_fn(net, batch):
    x, y = batch
    return F.cross_entropy(net(x), y)


def train(steps=3):
    net, opt, batch = make()
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, losses


KIND = "optimizer"
EXPECT = {
    "block1.0.weight": "trained",
    "block1.1.weight": "excluded",
    "block1.1.bias": "excluded",
    "block2.0.weight": "trained",
    "block2.1.weight": "excluded",
    "block2.1.bias": "excluded",
    "fc.weight": "trained",
    "fc.bias": "trained",
    "!block1.1.weight": "stale",
    "!block1.1.bias": "stale",
    "!block2.1.weight": "stale",
    "!block2.1.bias": "stale",
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
