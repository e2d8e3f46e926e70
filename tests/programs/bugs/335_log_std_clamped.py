"""A Gaussian policy: the bounds of the log standard deviation were swapped in from another code base (-20 to -5), and the
Parameter starts at 0. Above the upper bound the derivative of clamp is zero.
Origin: SAC implementations' LOG_STD_MIN / LOG_STD_MAX, "log_std does not change"; retold."""
import torch
from torch import nn
from torch.distributions import Normal

LOG_STD_MIN, LOG_STD_MAX = -20.0, -1.0  # <-- culprit


class Policy(nn.Module):
    def __init__(self, obs=5, act=2):
        super().__init__()
        self.mean = nn.Sequential(nn.Linear(obs, 16), nn.Tanh(), nn.Linear(16, act))
        self.log_std = nn.Parameter(torch.zeros(act))

    def dist(self, obs):
        log_std = self.log_std.clamp(LOG_STD_MIN, LOG_STD_MAX)  # <-- culprit
        return Normal(self.mean(obs), log_std.exp())


class Agent:
    def __init__(self, policy, lr=3e-4):
        self.policy = policy
        self.optim = torch.optim.Adam(policy.parameters(), lr=lr)

    def loss(self, obs, actions, advantage):
        logp = self.policy.dist(obs).log_prob(actions).sum(-1)
        return -(logp * advantage).mean()

    def update(self, batch):
        loss = self.loss(*batch)
        self.optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.policy.parameters(), 0.5)
        self.optim.step()
        return loss.item()


def build():
    torch.manual_seed(0)
    agent = Agent(Policy())
    batch = (torch.randn(16, 5), torch.randn(16, 2) * 0.1, torch.randn(16))
    return agent.policy, agent.optim, batch, agent


def make():
    return build()[:3]


def loss_fn(policy, batch):
    obs, actions, advantage = batch
    return -(policy.dist(obs).log_prob(actions).sum(-1) * advantage).mean()


def train(steps=3):
    policy, optim, batch, agent = build()
    return policy, [agent.update(batch) for _ in range(steps)]


KIND = "forward"
EXPECT = {
    "log_std": "blocked",
    "mean.0.weight": "trained",
    "mean.0.bias": "trained",
    "mean.2.weight": "trained",
    "mean.2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
