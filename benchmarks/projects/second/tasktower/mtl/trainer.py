from __future__ import annotations

import torch

from .model import MultiTaskModel
from .sampling import RoundRobin
from .surgery import backward_with_surgery
from .tasks import parse, synthetic


class MultiTaskTrainer:
    def __init__(self, conf: dict) -> None:
        self.conf = conf
        self.tasks = {t.name: t for t in parse(conf["tasks"])}
        self.model = self._build()
        self.optimizer = self._optimizer()
        self.sampler = RoundRobin(self.tasks, conf["tasks_per_step"])

    def _build(self) -> MultiTaskModel:
        model = MultiTaskModel(self.conf["width"], self.conf["hidden"])
        for task in self.tasks.values():
            model.add_task(task)
        return model

    def _optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.model.parameters(), lr=self.conf["lr"])

    def run(self) -> None:
        shared = list(self.model.trunk.parameters())
        for step in range(self.conf["steps"]):
            x, targets = synthetic(self.tasks.values(), self.conf["batch"], self.conf["width"])
            names = self.sampler.draw()
            losses = [self.model.task_loss(self.tasks[n], x, targets[n]) for n in names]
            backward_with_surgery(losses, shared, self.optimizer)
            self.optimizer.step()
            print(step, {n: round(float(v.detach()), 3) for n, v in zip(names, losses)})
