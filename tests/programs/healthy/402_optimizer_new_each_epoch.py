"""Healthy: each epoch builds its optimizer anew and with a smaller rate; momentum starts over, the weights go on. NEEDS_LOOP"""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 6)
        self.b = nn.Linear(6, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(16, 4), torch.randn(16, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train_epoch(model, optimizer, batch, rounds=2):
    for _ in range(rounds):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
    return loss.item()


def train(steps=4):
    model, _, batch = make()
    losses = []
    for epoch in range(steps):
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2 * 0.5**epoch)
        losses.append(train_epoch(model, optimizer, batch))
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("a.weight", "a.bias", "b.weight", "b.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
