"""Healthy: soft actor-critic with two critics, their Polyak targets, and a temperature outside the networks."""
import copy

import torch
from torch import nn


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.critics = nn.ModuleList(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)) for _ in range(2))
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_alpha = nn.Parameter(torch.zeros(()))

    def sample(self, state):
        mean, log_std = self.actor(state).chunk(2, -1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-5, 2).exp())
        raw = normal.rsample()
        action = torch.tanh(raw)
        return action, (normal.log_prob(raw) - torch.log(1 - action**2 + 1e-6)).sum(-1, keepdim=True)


def make():
    torch.manual_seed(0)
    agent = Agent()
    optimizers = {
        "critic": torch.optim.Adam(agent.critics.parameters(), lr=3e-4),
        "actor": torch.optim.Adam(agent.actor.parameters(), lr=3e-4),
        "alpha": torch.optim.Adam([agent.log_alpha], lr=3e-4),
    }
    return agent, optimizers, (torch.randn(16, 3), torch.rand(16, 1) * 2 - 1, torch.randn(16, 1), torch.randn(16, 3))


def critic_loss(agent, batch, gamma=0.99):
    state, action, reward, after = batch
    with torch.no_grad():
        next_action, log_prob = agent.sample(after)
        q = torch.min(*(t(torch.cat([after, next_action], -1)) for t in agent.targets))
        wanted = reward + gamma * (q - agent.log_alpha.exp() * log_prob)
    return sum(nn.functional.mse_loss(c(torch.cat([state, action], -1)), wanted) for c in agent.critics)


def actor_loss(agent, state):
    action, log_prob = agent.sample(state)
    q = torch.min(*(c(torch.cat([state, action], -1)) for c in agent.critics))
    return (agent.log_alpha.exp().detach() * log_prob - q).mean(), log_prob.detach()


def loss_fn(agent, batch):
    policy, log_prob = actor_loss(agent, batch[0])
    return critic_loss(agent, batch) + policy - (agent.log_alpha * (log_prob - 1)).mean()


def train(steps=4, tau=0.01):
    agent, optimizers, batch = make()
    losses = []
    for _ in range(steps):
        loss = critic_loss(agent, batch)
        optimizers["critic"].zero_grad()
        loss.backward()
        optimizers["critic"].step()
        agent.critics.requires_grad_(False)
        policy, log_prob = actor_loss(agent, batch[0])
        optimizers["actor"].zero_grad()
        policy.backward()
        optimizers["actor"].step()
        agent.critics.requires_grad_(True)
        optimizers["alpha"].zero_grad()
        (-agent.log_alpha * (log_prob - 1.0)).mean().backward()
        optimizers["alpha"].step()
        with torch.no_grad():
            for p, q in zip(agent.critics.parameters(), agent.targets.parameters()):
                q.lerp_(p, tau)
        losses.append(loss.item())
    return agent, losses


KIND = "healthy"
EXPECT = {
    **{f"actor.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    **{f"critics.{k}.{n}": "trained" for k in (0, 1) for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    **{f"targets.{k}.{n}": "frozen" for k in (0, 1) for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    "log_alpha": "trained",
}
INTENT = {"targets.*": "frozen"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
