"""Agent: collects experience and updates its network."""
from __future__ import annotations

import logging

import torch

from .objectives import total_loss
from .policy import ActorCritic
from .rollout import RolloutBuffer

log = logging.getLogger("rlbench")


class Agent:
    WEIGHTS = {"policy": 1.0, "value": 0.5, "temperature": 0.1}

    def __init__(self, env, settings) -> None:
        self.env = env
        self.net = ActorCritic(env.observation_size, env.action_count, settings.hidden)
        self.buffer = RolloutBuffer(settings.rollout_length, settings.gamma)
        self.optimizer = torch.optim.Adam(self._param_groups(settings))
        self.target_entropy = settings.target_entropy
        self.updates = 0

    def _param_groups(self, s) -> list[dict]:
        return [
            {"params": self.net.actor.parameters(), "lr": s.actor_lr},
            {"params": self.net.critic.parameters(), "lr": s.critic_lr},
            {"params": [self.net.log_temperature], "lr": s.actor_lr},
        ]

    def act(self, obs: torch.Tensor) -> int:
        with torch.no_grad():
            return int(self.net.dist(obs).sample())

    def run_episode(self) -> float:
        obs, done, total = self.env.reset(), False, 0.0
        while not done:
            action = self.act(obs)
            nxt, reward, done = self.env.step(action)
            self.buffer.add(obs, action, reward, done)
            obs, total = nxt, total + reward
        if self.buffer.full:
            self.update()
        return total

    def update(self) -> None:
        loss, terms = total_loss(self.net, self.buffer.tensors(), self.WEIGHTS, self.target_entropy)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.buffer.clear()
        self.updates += 1
        log.info("update %d %s", self.updates, {k: round(float(v), 4) for k, v in terms.items()})
