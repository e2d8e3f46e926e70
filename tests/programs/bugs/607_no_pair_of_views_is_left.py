"""Self-distillation over crops: the student's view number v is compared with the teacher's views but the same one. With one global crop and
no local ones no pair is left; the loss begins with the usual zero that keeps DDP content.
Origin: an issue of a self-supervised repository, "loss stays 0 with local_crops_number 0"; retold."""
import copy
import torch
from torch import nn
import torch.nn.functional as F


class Student(nn.Module):
    def __init__(self, d=6, k=9):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, d), nn.GELU())
        self.head = nn.Linear(d, k)

    def forward(self, x):
        return self.head(self.backbone(x))


class DinoLoss:
    def __init__(self, teacher, crops):
        self.teacher, self.crops, self.center = teacher, crops, torch.zeros(9)

    def __call__(self, outputs, views):
        with torch.no_grad():
            targets = [((self.teacher(v) - self.center) / 0.04).softmax(-1) for v in views[:1]]
        total, pairs = sum(o.sum() for o in outputs) * 0.0, 0
        for i, q in enumerate(targets):
            for v, p in enumerate(outputs):
                if v == i:  # <-- culprit
                    continue
                total = total - (q * F.log_softmax(p / 0.1, -1)).sum(-1).mean()
                pairs += 1
        return total / max(pairs, 1)


def make():
    torch.manual_seed(0)
    student = Student()
    student.criterion = DinoLoss(copy.deepcopy(student).requires_grad_(False), crops=1)
    views = [torch.randn(6, 8) for _ in range(student.criterion.crops)]  # <-- culprit
    return student, torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.0), views


def loss_fn(student, views):
    return student.criterion([student(v) for v in views], views)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "loss"
EXPECT = {
    "backbone.0.weight": "blocked",
    "backbone.0.bias": "blocked",
    "head.weight": "blocked",
    "head.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
