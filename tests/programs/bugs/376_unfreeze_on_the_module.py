"""Everything is frozen, then the classifier is "unfrozen" by setting requires_grad on the module, which only makes an attribute.
The new adapter, added afterwards, is all that trains.
Origin: discuss.pytorch.org "model.fc.requires_grad = True does not work"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Pretrained(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(8, 10), nn.ReLU())
        self.classifier = nn.Linear(10, 4)

    def forward(self, x):
        h = self.features(x)
        if hasattr(self, "adapter"):
            h = h + self.adapter(h)
        return self.classifier(h)


def prepare(model):
    for p in model.parameters():
        p.requires_grad = False
    model.classifier.requires_grad = True  # <-- culprit
    model.adapter = nn.Sequential(nn.Linear(10, 2), nn.ReLU(), nn.Linear(2, 10))
    return model


def make():
    torch.manual_seed(0)
    model = prepare(Pretrained())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return model, optimizer, (torch.randn(14, 8), torch.randint(0, 4, (14,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "registration"
EXPECT = {
    "features.0.weight": "frozen",
    "features.0.bias": "frozen",
    "classifier.weight": "frozen",
    "classifier.bias": "frozen",
    "adapter.0.weight": "trained",
    "adapter.0.bias": "trained",
    "adapter.2.weight": "trained",
    "adapter.2.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
