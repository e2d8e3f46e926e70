"""Healthy: double Q-learning with a replay memory that must fill first, an exploration rate, and a target that is synchronised every fifth step."""
import collections
import copy
import random

import torch
from torch import nn


class Memory:
    def __init__(self, size=200):
        self.items = collections.deque(maxlen=size)

    def push(self, *item):
        self.items.append(item)

    def sample(self, n):
        state, action, reward, after = zip(*random.sample(self.items, n))
        return torch.stack(state), torch.tensor(action), torch.tensor(reward), torch.stack(after)

    def __len__(self):
        return len(self.items)


class Duel(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.value, self.advantage = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 3)

    def forward(self, x):
        h = torch.relu(self.body(x))
        a = self.advantage(h)
        return self.value(h) + a - a.mean(-1, keepdim=True)


def make():
    torch.manual_seed(0), random.seed(0)
    online = Duel()
    return online, torch.optim.Adam(online.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randn(8))


def loss_fn(online, batch):
    return nn.functional.smooth_l1_loss(online(batch[0]).max(1).values, batch[1])


def act(online, state, epsilon):
    if random.random() < epsilon:
        return random.randrange(3)
    with torch.no_grad():
        return online(state[None]).argmax(1).item()


def train(steps=40, batch_size=8, warm=16):
    online, optimizer, _ = make()
    target = copy.deepcopy(online).eval()
    memory, losses, state = Memory(), [], torch.randn(4)
    for step in range(steps):
        action = act(online, state, epsilon=max(0.1, 1 - step / 20))
        after = 0.9 * state + 0.1 * torch.randn(4)
        memory.push(state, action, float(after.sum() > 0), after)
        state = after
        if len(memory) < warm:
            continue
        s, a, r, t = memory.sample(batch_size)
        with torch.no_grad():
            best = online(t).argmax(1, keepdim=True)
            wanted = r + 0.95 * target(t).gather(1, best).squeeze(1)
        loss = nn.functional.smooth_l1_loss(online(s).gather(1, a[:, None]).squeeze(1), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(online.parameters(), 10.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 5 == 0:
            target.load_state_dict(online.state_dict())
    return online, losses


KIND = "healthy"
EXPECT = {f"online.{m}.{n}": "trained" for m in ("body", "value", "advantage") for n in ("weight", "bias")}
INTENT = {"target.*": ""}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
