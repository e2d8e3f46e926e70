"""Healthy: an agent that only collects for the first thirty steps, then updates at every second one. NEEDS_LOOP"""
import random

import torch
from torch import nn


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, s):
        return self.value(s)


def make():
    torch.manual_seed(0)
    random.seed(0)
    net = QNet()
    return net, torch.optim.Adam(net.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randint(0, 2, (8,)), torch.randn(8), torch.randn(8, 4))


def loss_fn(net, batch):
    s, a, r, s2 = batch
    with torch.no_grad():
        goal = r + 0.9 * net(s2).max(1).values
    return nn.functional.mse_loss(net(s).gather(1, a[:, None]).squeeze(1), goal)


def train(steps=50):
    net, optimizer, _ = make()
    memory, losses, state = [], [], torch.randn(4)
    for step in range(steps):
        with torch.no_grad():
            action = net(state).argmax() if random.random() > 0.2 else torch.tensor(random.randrange(2))
        after = 0.9 * state + 0.1 * torch.randn(4)
        memory.append((state, action, after.sum(), after))
        state = after
        if step >= 30 and step % 2 == 0:
            batch = [torch.stack(part) for part in zip(*random.sample(memory, 8))]
            optimizer.zero_grad()
            loss = loss_fn(net, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return net, losses


KIND = "healthy"
EXPECT = {f"value.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
