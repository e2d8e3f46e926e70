"""For fine-tuning, everything but the last layer is frozen by list(parameters())[:-1]. The last entry is the last layer's bias.
Origin: stackoverflow "freeze all layers except the last"; retold."""
import torch
from torch import nn


class Backbone(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.conv = nn.Conv1d(2, 5, 3, bias=False)
        self.bn = nn.BatchNorm1d(5)
        self.fc = nn.Linear(5, classes)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean(-1))


def prepare(model):
    for p in list(model.parameters())[:-1]:  # <-- culprit
        p.requires_grad = False  # <-- culprit
    return model


def make():
    torch.manual_seed(0)
    model = prepare(Backbone())
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 2, 9), torch.randint(0, 4, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "registration"
EXPECT = {
    "conv.weight": "frozen",
    "bn.weight": "frozen",
    "bn.bias": "frozen",
    "fc.weight": "frozen",
    "fc.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
