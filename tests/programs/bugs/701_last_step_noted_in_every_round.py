"""Gradients are accumulated until enough batches have passed since the last step; but the batch of the last step is noted in
every round, so that one batch has passed at most.
Origin: warm-up and accumulation in detection code bases; retold."""
import torch
from torch import nn


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(1, self.count)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 10), nn.SiLU(), nn.Linear(10, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return model, optimizer, (torch.randn(32, 6), torch.randint(0, 2, (32,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(epochs=3, batch_size=4, nominal_batch_size=16):
    model, optimizer, (x, y) = make()
    meter, curve = AverageMeter(), []
    accumulate = max(round(nominal_batch_size / batch_size), 1)
    batches = len(x) // batch_size
    last_opt_step = -1
    for epoch in range(epochs):
        optimizer.zero_grad()
        for i in range(batches):
            ni = i + batches * epoch
            part = slice(i * batch_size, (i + 1) * batch_size)
            loss = loss_fn(model, (x[part], y[part])) / accumulate
            loss.backward()
            if ni - last_opt_step >= accumulate:
                torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
                optimizer.step()
                optimizer.zero_grad()
            last_opt_step = ni  # <-- culprit
            meter.update(loss.item())
        curve.append(meter.avg)
    return model, curve


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
