"""The optimizers of all phases are made before the first: preparing the last phase freezes the backbone, before anything has trained.
Origin: made up after phase tables that freeze as a side effect."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(5, 8), nn.ReLU())
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.backbone(x))


def prepare(model, phase):
    if phase == "full":
        model.requires_grad_(True)
        return torch.optim.Adam(model.parameters(), lr=1e-3)
    model.backbone.requires_grad_(False)  # <-- culprit
    return torch.optim.SGD(model.head.parameters(), lr=1e-2)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, [prepare(model, phase) for phase in ("full", "head")], (torch.randn(9, 5), torch.randint(0, 2, (9,)))  # <-- culprit


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizers, batch = make()
    losses = []
    for optimizer in optimizers:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "backbone.0.weight": "frozen",
    "backbone.0.bias": "frozen",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
