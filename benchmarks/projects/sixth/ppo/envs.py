"""A vectorised cart on a line: push left, wait or push right, stay close to the origin."""
import numpy as np


class LineCart:
    obs_dim, num_actions = 3, 3

    def __init__(self, num_envs, seed):
        self.n = num_envs
        self.rng = np.random.default_rng(seed)
        self.t = np.zeros(num_envs, dtype=int)
        self.x = self.rng.uniform(-1, 1, num_envs)
        self.v = np.zeros(num_envs)

    def observe(self):
        return np.stack([self.x, self.v, self.t / 32.0], 1).astype(np.float32)

    def step(self, action):
        self.v = 0.9 * self.v + 0.1 * (np.asarray(action) - 1)
        self.x = self.x + self.v + 0.01 * self.rng.normal(size=self.n)
        self.t += 1
        reward = -np.abs(self.x)
        done = (self.t >= 32) | (np.abs(self.x) > 3)
        for i in np.flatnonzero(done):
            self.x[i], self.v[i], self.t[i] = self.rng.uniform(-1, 1), 0.0, 0
        return self.observe(), reward.astype(np.float32), done
