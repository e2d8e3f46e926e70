"""Soft actor-critic with a learnt temperature. alpha is detached for the actor's sake, and the temperature's own loss is written with
alpha where log_alpha was meant.
Origin: an implementation of SAC whose entropy coefficient stays at one; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Agent(nn.Module):
    def __init__(self, obs=5, actions=3):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(obs, 8), nn.Tanh(), nn.Linear(8, actions))
        self.q1 = nn.Linear(obs, actions)
        self.q2 = nn.Linear(obs, actions)
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.target_entropy = 0.5


def make():
    torch.manual_seed(0)
    agent = Agent()
    optimizer = torch.optim.Adam(agent.parameters(), lr=3e-4)
    return agent, optimizer, (torch.randn(16, 5), torch.randint(0, 3, (16, 1)), torch.randn(16, 1))


def loss_fn(agent, batch):
    obs, action, target = batch
    alpha = agent.log_alpha.exp().detach()  # <-- culprit
    critic = F.mse_loss(agent.q1(obs).gather(1, action), target) + F.mse_loss(agent.q2(obs).gather(1, action), target)
    log_pi = agent.actor(obs).log_softmax(-1)
    q = torch.min(agent.q1(obs), agent.q2(obs)).detach()
    actor = (log_pi.exp() * (alpha * log_pi - q)).sum(-1).mean()
    entropy = -(log_pi.exp() * log_pi).sum(-1).detach()
    temperature = (alpha * (entropy - agent.target_entropy)).mean()  # <-- culprit
    return critic + actor + temperature


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "log_alpha": "unreachable",
    "actor.0.weight": "trained",
    "actor.0.bias": "trained",
    "actor.2.weight": "trained",
    "actor.2.bias": "trained",
    "q1.weight": "trained",
    "q1.bias": "trained",
    "q2.weight": "trained",
    "q2.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
