import torch
import torch.nn.functional as F

from plugins import PLUGINS


class Runner:
    def __init__(self, model, data, optimizer, plugins):
        self.data, self.optimizer = data, optimizer
        self.plugins = [PLUGINS[n](**kw) for n, kw in plugins.items()]
        for p in self.plugins:
            model = p.setup(model)
        self.model = model

    def epoch(self):
        m = self.data.train_mask
        loss = F.cross_entropy(self.model(self.data)[m], self.data.y[m])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, epochs):
        for e in range(epochs):
            loss = self.epoch()
            for p in self.plugins:
                p.on_epoch_end(self, e, loss)
