from dataclasses import dataclass

import torch.nn.functional as F


@dataclass
class Task:
    name: str
    kind: str
    classes: int
    weight: float = 1.0

    def loss(self, out, target, ignore_index):
        if self.kind == "class":
            return F.cross_entropy(out, target, ignore_index=ignore_index)
        return F.smooth_l1_loss(out.squeeze(-1), target)


def from_config(items):
    return [Task(**i) for i in items]
