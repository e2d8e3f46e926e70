"""Double DQN: the optimizer is given the target network instead of the online one.
Origin: made up after DQN code on Stack Overflow."""
import copy

import torch
from torch import nn


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        self.target = copy.deepcopy(self.online)


def make():
    torch.manual_seed(0)
    agent = Agent()
    optimizer = torch.optim.Adam(agent.target.parameters(), lr=1e-3)  # <-- culprit
    return agent, optimizer, (torch.randn(9, 4), torch.randint(0, 2, (9, 1)), torch.randn(9, 1), torch.randn(9, 4))


def loss_fn(agent, batch):
    s, a, r, s2 = batch
    with torch.no_grad():
        best = agent.online(s2).argmax(1, keepdim=True)
        goal = r + 0.9 * agent.target(s2).gather(1, best)
    return nn.functional.smooth_l1_loss(agent.online(s).gather(1, a), goal)


def train(steps=3):
    agent, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        agent.online.zero_grad()
        loss = loss_fn(agent, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return agent, losses


KIND = "optimizer"
EXPECT = {f"online.{n}": "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {
    f"target.{n}": "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
