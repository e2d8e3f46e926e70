"""Healthy: a world model, an actor that learns through it while it is frozen by a context manager, and a critic. NEEDS_LOOP"""
import contextlib

import torch
from torch import nn


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.world = nn.Sequential(nn.Linear(5, 8), nn.ELU(), nn.Linear(8, 5))
        self.actor = nn.Sequential(nn.Linear(4, 8), nn.ELU(), nn.Linear(8, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(4, 8), nn.ELU(), nn.Linear(8, 1))


@contextlib.contextmanager
def frozen(*modules):
    params = [p for m in modules for p in m.parameters()]
    before = [p.requires_grad for p in params]
    for p in params:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p, flag in zip(params, before):
            p.requires_grad_(flag)


def make():
    torch.manual_seed(0)
    agent = Agent()
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-2) for m in (agent.world, agent.actor, agent.critic)]
    return agent, optimizers, (torch.randn(12, 4), torch.rand(12, 1), torch.randn(12, 4), torch.randn(12, 1))


def world_loss(agent, batch):
    s, a, s2, r = batch
    return nn.functional.mse_loss(agent.world(torch.cat([s, a], 1)), torch.cat([s2, r], 1))


def imagine(agent, s, horizon=3):
    total, states = 0.0, []
    for _ in range(horizon):
        states.append(s)
        out = agent.world(torch.cat([s, agent.actor(s)], 1))
        s, r = out[:, :4], out[:, 4:]
        total = total + r
    return total + agent.critic(s), torch.stack(states)


def loss_fn(agent, batch):
    value, _ = imagine(agent, batch[0])
    return world_loss(agent, batch) - value.mean()


def train(steps=4):
    agent, (w, a, c), batch = make()
    losses = []
    for _ in range(steps):
        w.zero_grad()
        loss = world_loss(agent, batch)
        loss.backward()
        w.step()
        with frozen(agent.world, agent.critic):
            a.zero_grad()
            value, states = imagine(agent, batch[0])
            (-value.mean()).backward()
            a.step()
        c.zero_grad()
        nn.functional.mse_loss(agent.critic(states[0].detach()), value.detach()).backward()
        c.step()
        losses.append(loss.item())
    return agent, losses


KIND = "healthy"
EXPECT = {f"{m}.{i}.{n}": "trained" for m in ("world", "actor", "critic") for i in (0, 2) for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
