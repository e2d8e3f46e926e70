"""Healthy: TD3: twin critics at each step, the policy and the soft target update at every second one. NEEDS_LOOP"""
import copy

import torch
from torch import nn


class TD3(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.Tanh())
        self.q1 = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        self.q2 = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        self.targets = copy.deepcopy(nn.ModuleDict({"actor": self.actor, "q1": self.q1, "q2": self.q2}))


def make():
    torch.manual_seed(0)
    agent = TD3()
    critic_optimizer = torch.optim.Adam([*agent.q1.parameters(), *agent.q2.parameters()], lr=1e-3)
    actor_optimizer = torch.optim.Adam(agent.actor.parameters(), lr=1e-3)
    return agent, [critic_optimizer, actor_optimizer], (torch.randn(10, 3), torch.randn(10, 1), torch.randn(10, 1), torch.randn(10, 3))


def critic_loss(agent, batch):
    s, a, r, s2 = batch
    with torch.no_grad():
        a2 = (agent.targets["actor"](s2) + 0.1 * torch.randn_like(a)).clamp(-1, 1)
        x2 = torch.cat([s2, a2], 1)
        goal = r + 0.9 * torch.min(agent.targets["q1"](x2), agent.targets["q2"](x2))
    x = torch.cat([s, a], 1)
    return nn.functional.mse_loss(agent.q1(x), goal) + nn.functional.mse_loss(agent.q2(x), goal)


def actor_loss(agent, batch):
    return -agent.q1(torch.cat([batch[0], agent.actor(batch[0])], 1)).mean()


def loss_fn(agent, batch):
    return critic_loss(agent, batch) + actor_loss(agent, batch)


def train(steps=6, tau=0.05):
    agent, (critic_optimizer, actor_optimizer), batch = make()
    losses = []
    for step in range(steps):
        loss = critic_loss(agent, batch)
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()
        if step % 2:
            actor_optimizer.zero_grad()
            actor_loss(agent, batch).backward()
            actor_optimizer.step()
            with torch.no_grad():
                for name, target in agent.targets.items():
                    for t, p in zip(target.parameters(), getattr(agent, name).parameters()):
                        t.lerp_(p, tau)
        losses.append(loss.item())
    return agent, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in ("actor", "q1", "q2") for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"
INTENT = {"*targets.*": "target networks"}

if __name__ == "__main__":
    train()
