"""Actor, critic and temperature have an optimizer each. After the temperature's backward the critic's is stepped.
Origin: made up after copy-and-paste slips in SAC implementations."""
import torch
from torch import nn


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Linear(3, 2)
        self.critic = nn.Linear(5, 1)
        self.log_alpha = nn.Parameter(torch.zeros(()))


def make():
    torch.manual_seed(0)
    agent = Agent()
    opts = {
        "actor": torch.optim.Adam(agent.actor.parameters(), lr=1e-3),
        "critic": torch.optim.Adam(agent.critic.parameters(), lr=1e-3),
        "alpha": torch.optim.Adam([agent.log_alpha], lr=1e-3),
    }
    return agent, opts, (torch.randn(9, 3), torch.randn(9, 1))


def critic_loss(agent, batch):
    s, r = batch
    q = agent.critic(torch.cat([s, agent.actor(s).detach()], 1))
    return nn.functional.mse_loss(q, r)


def actor_loss(agent, batch):
    s, _ = batch
    a = agent.actor(s)
    return (agent.log_alpha.detach().exp() * a.pow(2).mean(1, keepdim=True) - agent.critic(torch.cat([s, a], 1))).mean()


def alpha_loss(agent, batch):
    with torch.no_grad():
        entropy = agent.actor(batch[0]).abs().mean()
    return -agent.log_alpha * (entropy - 2.0)


def loss_fn(agent, batch):
    return critic_loss(agent, batch) + actor_loss(agent, batch) + alpha_loss(agent, batch)


def train(steps=3):
    agent, opts, batch = make()
    losses = []
    for _ in range(steps):
        lc = critic_loss(agent, batch)
        opts["critic"].zero_grad()
        lc.backward()
        opts["critic"].step()

        la = actor_loss(agent, batch)
        opts["actor"].zero_grad()
        la.backward()
        opts["actor"].step()

        lt = alpha_loss(agent, batch)
        opts["alpha"].zero_grad()
        lt.backward()
        opts["actor"].step()  # <-- culprit
        losses.append(lc.item() + la.item() + lt.item())
    return agent, losses


KIND = "loop"
EXPECT = {"actor.weight": "trained", "actor.bias": "trained", "critic.weight": "trained", "critic.bias": "trained", "log_alpha": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
