"""Fine-tuning class: the constructor makes the optimizer, and `prepare`, called when the number of classes is known, replaces the
last layer.
Origin: "replaced model.fc, but it does not train" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def pretrained(classes=10):
    return nn.ModuleDict({
        "features": nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
        "fc": nn.Linear(4, classes),
    })


class FineTuner:
    def __init__(self, net, lr=1e-3):
        self.net = net
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr)

    def prepare(self, classes):
        self.net["fc"] = nn.Linear(self.net["fc"].in_features, classes)  # <-- culprit
        return self

    def train_on(self, batch, n):
        losses = []
        for _ in range(n):
            self.optimizer.zero_grad()
            loss = loss_fn(self.net, batch)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return losses


def build():
    torch.manual_seed(0)
    tuner = FineTuner(pretrained()).prepare(classes=3)
    return tuner.net, tuner.optimizer, (torch.rand(6, 1, 7, 7), torch.randint(0, 3, (6,))), tuner


def make():
    return build()[:3]


def loss_fn(net, batch):
    x, y = batch
    return F.cross_entropy(net["fc"](net["features"](x)), y)


def train(steps=3):
    net, _, batch, tuner = build()
    return net, tuner.train_on(batch, steps)


KIND = "optimizer"
EXPECT = {
    "features.0.weight": "trained",
    "features.0.bias": "trained",
    "fc.weight": "excluded",
    "fc.bias": "excluded",
    "!fc.weight": "stale",
    "!fc.bias": "stale",
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
