"""A DQN that waits until the buffer holds a batch. The buffer keeps fewer transitions than that, so nothing is ever learnt.
Origin: made up after the PyTorch DQN tutorial with other numbers."""
import collections
import random

import torch
from torch import nn

BATCH = 64
CAPACITY = 50  # <-- culprit


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, s):
        return self.layers(s)


def make():
    torch.manual_seed(0)
    random.seed(0)
    net = QNet()
    batch = (torch.randn(BATCH, 4), torch.randint(0, 2, (BATCH,)), torch.randn(BATCH), torch.randn(BATCH, 4))
    return net, torch.optim.RMSprop(net.parameters(), lr=1e-3), batch


def loss_fn(net, batch):
    s, a, r, s2 = batch
    with torch.no_grad():
        target = r + 0.9 * net(s2).max(1).values
    return nn.functional.smooth_l1_loss(net(s).gather(1, a[:, None]).squeeze(1), target)


def optimise(net, optimizer, memory):
    if len(memory) < BATCH:  # <-- culprit
        return None
    batch = tuple(torch.stack(part) for part in zip(*random.sample(list(memory), BATCH)))
    optimizer.zero_grad()
    loss = loss_fn(net, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def train(steps=90):
    net, optimizer, _ = make()
    memory = collections.deque(maxlen=CAPACITY)  # <-- culprit
    losses, state = [], torch.randn(4)
    for _ in range(steps):
        with torch.no_grad():
            action = net(state).argmax()
        after = 0.9 * state + 0.1 * torch.randn(4)
        memory.append((state, action, after.sum(), after))
        state = after
        losses.append(optimise(net, optimizer, memory))
    return net, losses


KIND = "loop"
EXPECT = {f"layers.{n}": "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
