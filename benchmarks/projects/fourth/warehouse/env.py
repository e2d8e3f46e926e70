import numpy as np


class Aisle:
    """A robot in an aisle: go to the shelf that shows a light, then pick."""

    LEFT, RIGHT, PICK = range(3)

    def __init__(self, length=6, limit=6, seed=0):
        self.length = length
        self.limit = limit
        self.rng = np.random.default_rng(seed)

    @property
    def obs_size(self):
        return 2 * self.length

    def obs(self):
        o = np.zeros(self.obs_size, dtype=np.float32)
        o[self.at] = 1.0
        o[self.length + self.goal] = 1.0
        return o

    def reset(self):
        self.at, self.goal = self.rng.integers(0, self.length, 2)
        self.t = 0
        return self.obs()

    def step(self, action):
        self.t += 1
        reward = -0.05
        done = self.t >= self.limit
        if action == self.LEFT:
            self.at = max(0, self.at - 1)
        elif action == self.RIGHT:
            self.at = min(self.length - 1, self.at + 1)
        elif self.at == self.goal:
            reward, done = 1.0, True
        return self.obs(), reward, done
