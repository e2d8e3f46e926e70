import torch
import torch.nn.functional as F

import rates
from freezing import freeze_to, n_frozen


class TextLearner:
    def __init__(self, model, data, lr, batch=16):
        self.model, self.data, self.batch = model, data, batch
        self.groups = model.layer_groups()
        self.base = rates.spread(lr, len(self.groups))
        self.optimizer = torch.optim.Adam([{"params": list(g.parameters())} for g in self.groups], lr=lr)
        self.stage = 0

    def batches(self):
        x, y = self.data
        for i in range(0, len(x), self.batch):
            yield x[i:i + self.batch], y[i:i + self.batch]

    def fit_stage(self, thaw_to, epochs=1):
        freeze_to(self.groups, thaw_to)
        total = epochs * -(-len(self.data[0]) // self.batch)
        step = 0
        for _ in range(epochs):
            for x, y in self.batches():
                rates.apply(self.optimizer, self.base, rates.slanted(step, total))
                loss = F.cross_entropy(self.model(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                step += 1
        self.stage += 1
        print(f"stage {self.stage}: {n_frozen(self.groups)} groups frozen, loss {loss.item():.4f}")
