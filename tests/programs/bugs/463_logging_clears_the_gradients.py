"""A helper that logs gradient norms resets them when it is done, "so that the next reading is fresh".
Origin: made up after gradient logging snippets."""
import torch
from torch import nn


class GradientLog:
    def __init__(self):
        self.rows = []

    def read(self, model):
        row = {}
        for name, p in model.named_parameters():
            if p.grad is not None:
                row[name] = p.grad.norm().item()
                p.grad.detach_()
                p.grad.zero_()  # <-- culprit
        self.rows.append(row)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), nn.Hardswish(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    log, losses = GradientLog(), []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        log.read(model)  # <-- culprit
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
