"""Networks for tiny pictures; the student shares the stem's shape with its teacher."""
import torch
from torch import nn


class FeatureMixin:
    """Adds `features` to networks made of stem, body and head."""

    def features(self, x):
        h = torch.relu(self.stem(x))
        return self.body(h).mean((-2, -1))

    def forward(self, x):
        f = self.features(x)
        return self.head(f), f


def body(cin, cout, n):
    layers = []
    for i in range(n):
        layers += [nn.Conv2d(cin if i == 0 else cout, cout, 3, padding=1), nn.ELU()]
    return nn.Sequential(*layers)


class SmallNet(FeatureMixin, nn.Module):
    def __init__(self, stem, width, depth, classes):
        super().__init__()
        self.stem = nn.Conv2d(1, stem, 3, stride=2, padding=1)
        self.body = body(stem, width, depth)
        self.head = nn.Linear(width, classes)


def teacher(classes):
    return SmallNet(6, 16, 3, classes)


def student(classes, like):
    net = SmallNet(6, 8, 1, classes)
    net.stem.load_state_dict(like.stem.state_dict())
    return net
