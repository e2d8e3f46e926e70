"""Q-learning: the prediction is taken from the target network and the bootstrap from the online one. The optimizer holds the online one.
Origin: DQN debugging threads; retold."""
import collections
import random

import torch
from torch import nn

Transition = collections.namedtuple("Transition", "state action reward after")


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.target = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.target.load_state_dict(self.online.state_dict())


def memory(n=40):
    return collections.deque(
        (Transition(torch.randn(3), random.randrange(2), random.random(), torch.randn(3)) for _ in range(n)), maxlen=n
    )


def make():
    torch.manual_seed(0), random.seed(0)
    agent = Agent()
    return agent, torch.optim.RMSprop(agent.online.parameters(), lr=1e-3), memory()


def loss_fn(agent, batch, gamma=0.9):
    state, after = torch.stack([t.state for t in batch]), torch.stack([t.after for t in batch])
    action, reward = torch.tensor([t.action for t in batch]), torch.tensor([t.reward for t in batch])
    q = agent.target(state).gather(1, action[:, None]).squeeze(1)  # <-- culprit
    with torch.no_grad():
        bootstrap = agent.online(after).max(1).values  # <-- culprit
    return nn.functional.smooth_l1_loss(q, reward + gamma * bootstrap)


def train(steps=12):
    agent, optimizer, replay = make()
    losses = []
    for step in range(steps):
        loss = loss_fn(agent, random.sample(replay, 8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            agent.target.load_state_dict(agent.online.state_dict())
        losses.append(loss.item())
    return agent, losses


KIND = "loop"
EXPECT = {
    **{f"online.{n}": "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    **{f"target.{n}": "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
