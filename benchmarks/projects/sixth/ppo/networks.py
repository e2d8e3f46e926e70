import torch
from torch import nn
from torch.distributions import Categorical


def mlp(sizes, act=nn.Tanh):
    layers = []
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        layers.append(nn.Linear(a, b))
        if i < len(sizes) - 2:
            layers.append(act())
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    def __init__(self, obs_dim, num_actions, hidden):
        super().__init__()
        self.pi = mlp([obs_dim, hidden, hidden, num_actions])
        self.vf = mlp([obs_dim, hidden, 1])

    def dist(self, obs):
        return Categorical(logits=self.pi(obs))

    def value(self, obs):
        return self.vf(obs).squeeze(-1)

    @torch.no_grad()
    def act(self, obs):
        d = self.dist(obs)
        a = d.sample()
        return a, d.log_prob(a), self.value(obs)

    def evaluate(self, batch):
        logp = self.dist(batch.obs).log_prob(batch.actions)
        return logp, self.value(batch.obs)
