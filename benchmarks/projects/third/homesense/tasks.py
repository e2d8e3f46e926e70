from abc import ABC, abstractmethod

from torch.nn import functional as F


class Task(ABC):
    head: str
    key: str

    @abstractmethod
    def loss(self, out, y): ...


class Occupancy(Task):
    head = "occupancy"
    key = "occupancy"

    def loss(self, out, y):
        return F.binary_cross_entropy_with_logits(out, y)


class Temperature(Task):
    head = "temperature"
    key = "temperature"

    def loss(self, out, y):
        return F.smooth_l1_loss(out, y)


class Power(Task):
    head = "power"
    key = "power"

    def loss(self, out, y):
        return F.mse_loss(out, y)


ALL = (Occupancy(), Temperature(), Power())


def losses_of(outputs, targets):
    losses = {}
    for task in ALL:
        losses[task.key] = task.loss(outputs[task.head], targets[task.head])
    return losses
