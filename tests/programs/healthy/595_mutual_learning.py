"""Two students teach each other: each sees the other's logits detached, each has its own optimizer and scheduler.
Origin: Deep Mutual Learning (Zhang et al. 2018)."""
import torch
from torch import nn
import torch.nn.functional as F


def student(width):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 3))


def make():
    torch.manual_seed(0)
    pair = nn.ModuleList([student(8), student(16)])
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True) for net in pair]
    return pair, optimizers, (torch.randn(16, 4), torch.randint(0, 3, (16,)))


def kl(student, teacher):
    return F.kl_div(F.log_softmax(student, 1), F.softmax(teacher.detach(), 1), reduction="batchmean")


def losses_of(pair, batch):
    x, y = batch
    logits = [net(x) for net in pair]
    return [
        F.cross_entropy(own, y) + sum(kl(own, other) for j, other in enumerate(logits) if j != i) / (len(logits) - 1)
        for i, own in enumerate(logits)
    ]


def loss_fn(pair, batch):
    return sum(losses_of(pair, batch))


def train(steps=4):
    pair, optimizers, batch = make()
    schedulers = [torch.optim.lr_scheduler.MultiStepLR(o, [2], gamma=0.1) for o in optimizers]
    history = []
    for _ in range(steps):
        found = losses_of(pair, batch)
        for loss, optimizer in zip(found, optimizers):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        history.append(sum(found).item())
    return pair, history


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 1) for n in ("0.weight", "0.bias", "3.weight", "3.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
