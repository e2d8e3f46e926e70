import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


class Dueling(nn.Module):
    def __init__(self, width, actions):
        super().__init__()
        self.value = nn.Linear(width, 1)
        self.adv = nn.Linear(width, actions)

    def forward(self, h):
        a = self.adv(h)
        return self.value(h) + a - a.mean(1, keepdim=True)


class AgentNet(nn.Module):
    """Encoder, online and target Q heads, and a small world model (next features)."""

    def __init__(self, obs, actions, width=20):
        super().__init__()
        self.actions = actions
        self.encoder = nn.Sequential(nn.Linear(obs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.online = Dueling(width, actions)
        self.target = copy.deepcopy(self.online)
        for p in self.target.parameters():
            p.requires_grad_(False)
        self.world = nn.Sequential(nn.Linear(width + actions, width), nn.Tanh(), nn.Linear(width, width))

    def features(self, obs, train=False):
        # most callers only want to look at a state
        with torch.set_grad_enabled(train):
            return self.encoder(obs)

    def imagine(self, h, action):
        onehot = F.one_hot(action, self.actions).float()
        return self.world(torch.cat([h, onehot], 1))

    @torch.no_grad()
    def sync(self, tau):
        for t, o in zip(self.target.parameters(), self.online.parameters()):
            t.lerp_(o, tau)
