"""Discrete soft actor-critic with all three losses added up: alpha detached for the actor, q detached for the actor, entropy detached for the
temperature, a frozen target.
Origin: a single-file RL repository, reduced."""
import copy
import torch
from torch import nn
import torch.nn.functional as F


class Critic(nn.Module):
    def __init__(self, obs, n):
        super().__init__()
        self.q1, self.q2 = (nn.Sequential(nn.Linear(obs, 8), nn.ReLU(), nn.Linear(8, n)) for _ in range(2))

    def forward(self, x):
        return self.q1(x), self.q2(x)


class Agent(nn.Module):
    def __init__(self, obs=5, n=3):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(obs, 8), nn.Tanh(), nn.Linear(8, n))
        self.critic = Critic(obs, n)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.log_alpha = nn.Parameter(torch.tensor(-1.0))


def make():
    torch.manual_seed(0)
    agent = Agent()
    optimizer = torch.optim.Adam([p for p in agent.parameters() if p.requires_grad], lr=1e-3)
    batch = (torch.randn(32, 5), torch.randint(0, 3, (32, 1)), torch.randn(32, 1), torch.randn(32, 5))
    return agent, optimizer, batch


def loss_fn(agent, batch):
    obs, action, reward, after = batch
    alpha = agent.log_alpha.exp().detach()
    with torch.no_grad():
        log_p = agent.actor(after).log_softmax(-1)
        value = (log_p.exp() * (torch.min(*agent.target(after)) - alpha * log_p)).sum(-1, keepdim=True)
        wanted = reward + 0.99 * value
    q1, q2 = agent.critic(obs)
    critic = F.mse_loss(q1.gather(1, action), wanted) + F.mse_loss(q2.gather(1, action), wanted)
    log_pi = agent.actor(obs).log_softmax(-1)
    actor = (log_pi.exp() * (alpha * log_pi - torch.min(q1, q2).detach())).sum(-1).mean()
    entropy = -(log_pi.exp() * log_pi).sum(-1).detach()
    return critic + actor + (agent.log_alpha * (entropy - 0.8)).mean()


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


KIND = "healthy"
EXPECT = {
    "log_alpha": "trained",
    "actor.0.weight": "trained",
    "actor.0.bias": "trained",
    "actor.2.weight": "trained",
    "actor.2.bias": "trained",
    "critic.q1.0.weight": "trained",
    "critic.q1.0.bias": "trained",
    "critic.q1.2.weight": "trained",
    "critic.q1.2.bias": "trained",
    "critic.q2.0.weight": "trained",
    "critic.q2.0.bias": "trained",
    "critic.q2.2.weight": "trained",
    "critic.q2.2.bias": "trained",
    "target.q1.0.weight": "frozen",
    "target.q1.0.bias": "frozen",
    "target.q1.2.weight": "frozen",
    "target.q1.2.bias": "frozen",
    "target.q2.0.weight": "frozen",
    "target.q2.0.bias": "frozen",
    "target.q2.2.weight": "frozen",
    "target.q2.2.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {"target.*": "target network"}

if __name__ == "__main__":
    train()
