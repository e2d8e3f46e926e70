import torch
from torch import nn
from torch.nn import functional as F

import zoo


class Distiller(nn.Module):
    def __init__(self, classes, temperature, hint_weight):
        super().__init__()
        self.temperature = temperature
        self.hint_weight = hint_weight
        teacher = zoo.teacher(classes)
        self.student = zoo.student(classes, like=teacher)
        self.projector = nn.Linear(self.student.head.in_features, teacher.head.in_features)
        self.teacher = teacher
        self.teacher.requires_grad_(False)

    def hint(self, f_student, f_teacher):
        return F.mse_loss(self.projector(f_student), f_teacher)

    def soft(self, logits, reference):
        t = self.temperature
        return F.kl_div(
            (logits / t).log_softmax(-1), (reference / t).softmax(-1), reduction="batchmean"
        ) * t * t

    def loss(self, x, y):
        with torch.no_grad():
            ref, f_teacher = self.teacher(x)
        out, f_student = self.student(x)
        return (
            F.cross_entropy(out, y)
            + self.soft(out, ref)
            + self.hint_weight * self.hint(f_student, f_teacher)
        )
