import random
from collections import deque

import numpy as np
import torch


class Replay:
    def __init__(self, size, seed=3):
        self.items = deque(maxlen=size)
        self.rnd = random.Random(seed)

    def __len__(self):
        return len(self.items)

    def push(self, *transition):
        self.items.append(transition)

    def sample(self, n):
        o, a, r, o2, d = zip(*self.rnd.sample(list(self.items), n))
        return (
            torch.from_numpy(np.stack(o)),
            torch.tensor(a),
            torch.tensor(r, dtype=torch.float32),
            torch.from_numpy(np.stack(o2)),
            torch.tensor(d, dtype=torch.float32),
        )
