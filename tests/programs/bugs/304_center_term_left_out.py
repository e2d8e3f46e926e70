"""Softmax plus center loss. Both terms are computed and logged; the sum that is returned has only the first.
Origin: "center loss does not decrease, centers never change" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class FaceNet(nn.Module):
    def __init__(self, d_in=10, d_emb=4, people=5):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(d_in, 16), nn.PReLU(), nn.Linear(16, d_emb))
        self.logits = nn.Linear(d_emb, people)
        self.centers = nn.Parameter(torch.randn(people, d_emb))

    def forward(self, x):
        emb = self.features(x)
        return emb, self.logits(emb)


class Meter(dict):
    def update_from(self, **values):
        for k, v in values.items():
            self.setdefault(k, []).append(float(v.detach()))


METER = Meter()


def loss_fn(model, batch, center_weight=0.01):
    x, who = batch
    emb, logits = model(x)
    xent = F.cross_entropy(logits, who)
    center = (emb - model.centers[who]).pow(2).sum(dim=1).mean()
    METER.update_from(xent=xent, center=center_weight * center)
    return xent  # <-- culprit


def make():
    torch.manual_seed(0)
    METER.clear()
    model = FaceNet()
    optimizer = torch.optim.SGD([{"params": model.features.parameters()}, {"params": model.logits.parameters()},
                                 {"params": [model.centers], "lr": 0.5}], lr=0.05)
    return model, optimizer, (torch.randn(15, 10), torch.randint(0, 5, (15,)))


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "centers": "unreachable",
    "features.0.weight": "trained",
    "features.0.bias": "trained",
    "features.1.weight": "trained",
    "features.2.weight": "trained",
    "features.2.bias": "trained",
    "logits.weight": "trained",
    "logits.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
