import torch
import torch.nn.functional as F
from torch import nn


class Pair(nn.Module):
    """Student and teacher side by side, with regressors for the hints."""

    def __init__(self, teacher, student, hints):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.hints = list(hints)
        self.regressors = nn.ModuleList([
            nn.Conv2d(student.units[s].conv.out_channels, teacher.units[t].conv.out_channels, 1)
            for s, t in self.hints
        ])
        for p in self.teacher.parameters():
            p.requires_grad = False

    def forward(self, x):
        with torch.no_grad():
            t_logits, t_feats = self.teacher(x)
        s_logits, s_feats = self.student(x)
        pairs = [(reg(s_feats[s]), t_feats[t]) for reg, (s, t) in zip(self.regressors, self.hints)]
        return s_logits, t_logits, pairs


def objective(outputs, labels, conf):
    s_logits, t_logits, pairs = outputs
    T = conf.temperature
    soft = F.kl_div(F.log_softmax(s_logits / T, -1), F.softmax(t_logits / T, -1), reduction="batchmean") * T * T
    hard = F.cross_entropy(s_logits, labels)
    hint = sum(F.mse_loss(a, b) for a, b in pairs) / max(1, len(pairs))
    return conf.alpha * soft + (1 - conf.alpha) * hard + conf.beta * hint
