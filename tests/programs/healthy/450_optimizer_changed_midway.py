"""Healthy: the optimizer is made at the first step, and exchanged for another kind after four. NEEDS_LOOP"""
import torch
from torch import nn


class Learner:
    def __init__(self, model):
        self.model, self.optimizer, self.count = model, None, 0

    def step(self, batch):
        if self.optimizer is None:
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        elif self.count == 4:
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-2, momentum=0.9, nesterov=True)
        self.count += 1
        self.optimizer.zero_grad()
        loss = loss_fn(self.model, batch)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=8):
    model, _, batch = make()
    learner = Learner(model)
    return model, [learner.step(batch) for _ in range(steps)]


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
