"""Learning shall begin once the replay buffer has enough entries; the buffer's capacity is smaller than that.
Origin: made up after "learning_starts" in off-policy agents."""
from collections import deque

import torch
from torch import nn


class Buffer:
    def __init__(self, capacity):
        self.rows = deque(maxlen=capacity)

    def __len__(self):
        return len(self.rows)


class Agent:
    def __init__(self, net, optimizer, capacity=4, learning_starts=5):  # <-- culprit
        self.net, self.optimizer, self.learning_starts = net, optimizer, learning_starts
        self.buffer = Buffer(capacity)  # <-- culprit

    def learn(self):
        if len(self.buffer) < self.learning_starts:  # <-- culprit
            return None
        states, rewards = map(torch.cat, zip(*self.buffer.rows))
        loss = loss_fn(self.net, (states, rewards))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def act(self, state):
        with torch.no_grad():
            return self.net(state)


def make():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    return net, torch.optim.Adam(net.parameters(), lr=1e-3), (torch.randn(6, 3), torch.randn(6, 1))


def loss_fn(net, batch):
    return nn.functional.mse_loss(net(batch[0]), batch[1])


def train(steps=8):
    net, optimizer, (states, rewards) = make()
    agent = Agent(net, optimizer)
    log = []
    for t in range(steps):
        s, r = states[t % 6][None], rewards[t % 6][None]
        agent.act(s)
        agent.buffer.rows.append((s, r))
        log.append(agent.learn() or 0.0)
    return net, log


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
