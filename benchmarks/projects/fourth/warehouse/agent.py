import random

import torch
import torch.nn.functional as F

from qnet import AgentNet
from replay import Replay


class Agent:
    def __init__(self, obs, actions, lr, gamma=0.9, batch=8, world_every=3, freeze_encoder=False):
        self.net = AgentNet(obs, actions)
        self.gamma = gamma
        self.batch = batch
        self.world_every = world_every
        self.memory = Replay(200)
        self.rnd = random.Random(8)
        self.updates = 0
        if freeze_encoder:
            # for an encoder that comes from another warehouse
            for p in self.net.encoder.parameters():
                p.requires_grad = False
        self.opt = torch.optim.Adam([*self.net.encoder.parameters(), *self.net.online.parameters()], lr=lr)
        self.opt_world = torch.optim.Adam(self.net.world.parameters(), lr=lr)

    @torch.no_grad()
    def act(self, obs, eps):
        if self.rnd.random() < eps:
            return self.rnd.randrange(self.net.actions)
        h = self.net.features(torch.from_numpy(obs)[None])
        return int(self.net.online(h).argmax(1))

    def learn(self):
        if len(self.memory) < self.batch:
            return None
        obs, act, rew, nxt, done = self.memory.sample(self.batch)
        h = self.net.features(obs, train=True)
        q = self.net.online(h).gather(1, act[:, None]).squeeze(1)
        h2 = self.net.features(nxt)
        with torch.no_grad():
            goal = rew + self.gamma * (1 - done) * self.net.target(h2).max(1).values
        td = F.smooth_l1_loss(q, goal)
        dream = F.mse_loss(self.net.imagine(h.detach(), act), h2)
        self.opt.zero_grad()
        (td + dream).backward()
        self.opt.step()
        self.updates += 1
        # the world model sums the gradients of some batches
        if self.updates % self.world_every == 0:
            self.opt_world.step()
            self.opt_world.zero_grad()
        self.net.sync(0.1)
        return td.item(), dream.item()
