"""The running average of the loss is what is back-propagated: the meter keeps floats, and its average is wrapped in a tensor.
Origin: AverageMeter mix-ups, "loss.backward() on torch.tensor(meter.avg)"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3))

    def forward(self, x):
        return self.net(x)


def loss_fn(model, batch):
    meter = AverageMeter()
    for x, y in zip(batch[0].split(5), batch[1].split(5)):
        loss = F.cross_entropy(model(x), y)
        meter.update(loss.item(), len(x))  # <-- culprit
    return torch.tensor(meter.avg, requires_grad=True)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, (torch.randn(15, 6), torch.randint(0, 3, (15,)))


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return model, losses


KIND = "loss"
EXPECT = {
    "net.0.weight": "unreachable",
    "net.0.bias": "unreachable",
    "net.2.weight": "unreachable",
    "net.2.bias": "unreachable",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
