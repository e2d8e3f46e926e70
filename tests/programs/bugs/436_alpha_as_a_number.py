"""Soft actor-critic: the temperature is read with `.item()`, and the number is also used in the temperature's own loss.
Origin: made up after SAC implementations."""
import torch
from torch import nn


class SAC(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Linear(3, 4)
        self.critic = nn.Linear(5, 1)
        self.log_alpha = nn.Parameter(torch.tensor(0.1))

    @property
    def alpha(self):
        return self.log_alpha.exp().item()  # <-- culprit

    def act(self, state):
        mean, log_std = self.actor(state).chunk(2, -1)
        dist = torch.distributions.Normal(mean, log_std.clamp(-3, 1).exp())
        action = dist.rsample()
        return action, dist.log_prob(action).sum(-1)


def make():
    torch.manual_seed(0)
    agent = SAC()
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3) for m in (agent.critic, agent.actor)]
    return agent, [*optimizers, torch.optim.Adam([agent.log_alpha], lr=1e-3)], (torch.randn(10, 3), torch.randn(10, 1))


def critic_loss(agent, batch):
    state, reward = batch
    action, _ = agent.act(state)
    return nn.functional.mse_loss(agent.critic(torch.cat([state, action.detach()], -1)), reward)


def actor_loss(agent, batch):
    action, logp = agent.act(batch[0])
    return (agent.alpha * logp - agent.critic(torch.cat([batch[0], action], -1)).squeeze(-1)).mean()


def alpha_loss(agent, batch):
    _, logp = agent.act(batch[0])
    return -(agent.alpha * (logp - 2.0).detach()).mean()


def loss_fn(agent, batch):
    return critic_loss(agent, batch) + actor_loss(agent, batch) + alpha_loss(agent, batch)


def train(steps=3):
    agent, optimizers, batch = make()
    losses = []
    for _ in range(steps):
        for loss_of, optimizer in zip((critic_loss, actor_loss, alpha_loss), optimizers):
            optimizer.zero_grad()
            loss = loss_of(agent, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return agent, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {"actor.weight": "trained", "actor.bias": "trained", "critic.weight": "trained", "critic.bias": "trained", "log_alpha": "unreachable"}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
