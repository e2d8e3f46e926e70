"""A coarse-to-fine segmenter. While debugging, the author let forward return the coarse map when no edge map is passed,
and the loader has never passed one.
Origin: two-stage networks whose second stage "does not train", retold from forum threads."""
import torch
from torch import nn
from torch.nn import functional as F


def conv_bn(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class CoarseToFine(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.stem = conv_bn(3, 8)
        self.coarse = nn.Conv2d(8, classes, 1)
        self.edge_stem = conv_bn(1, 4)
        self.refine = nn.Conv2d(8 + 4 + classes, classes, 3, padding=1)

    def forward(self, image, edges=None):
        f = self.stem(image)
        coarse = self.coarse(f)
        if edges is None:  # <-- culprit
            return coarse  # <-- culprit
        e = self.edge_stem(edges)
        return coarse + self.refine(torch.cat([f, e, coarse], dim=1))


class Trainer:
    def __init__(self, net, lr=0.01):
        self.net = net
        self.opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)

    def compute_loss(self, batch):
        image, edges, target = batch
        logits = self.net(image)  # <-- culprit
        return F.cross_entropy(logits, target)

    def run(self, batch, n):
        out = []
        for _ in range(n):
            self.opt.zero_grad()
            loss = self.compute_loss(batch)
            loss.backward()
            self.opt.step()
            out.append(loss.item())
        return out


def build():
    torch.manual_seed(0)
    trainer = Trainer(CoarseToFine())
    batch = (torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8), torch.randint(0, 3, (2, 8, 8)))
    return trainer.net, trainer.opt, batch, trainer


def make():
    return build()[:3]


def loss_fn(model, batch):
    image, edges, target = batch
    return F.cross_entropy(model(image), target)  # <-- culprit


def train(steps=3):
    model, opt, batch, trainer = build()
    return model, trainer.run(batch, steps)


KIND = "forward"
EXPECT = {
    "stem.0.weight": "trained",
    "stem.1.weight": "trained",
    "stem.1.bias": "trained",
    "coarse.weight": "trained",
    "coarse.bias": "trained",
    "edge_stem.0.weight": "unreachable",
    "edge_stem.1.weight": "unreachable",
    "edge_stem.1.bias": "unreachable",
    "refine.weight": "unreachable",
    "refine.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
