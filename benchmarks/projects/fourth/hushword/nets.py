import torch
from torch import nn


class Bank(nn.Conv1d):
    """Filter bank that starts with cosines."""

    def __init__(self, filters, size=8, stride=4):
        super().__init__(1, filters, size, stride=stride)
        n = torch.arange(size) + 0.5
        k = torch.arange(filters)[:, None]
        with torch.no_grad():
            self.weight.copy_(torch.cos(torch.pi / size * n * k)[:, None])


class Net(nn.Module):
    def __init__(self, filters, width, depth, words):
        super().__init__()
        self.bank = Bank(filters)
        layers = [nn.Conv1d(filters, width, 3, padding=1), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Conv1d(width, width, 3, padding=1), nn.Tanh()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, words)

    def features(self, x):
        return self.body(self.bank(x)).mean(-1)

    def forward(self, x):
        return self.head(self.features(x))


class Distiller(nn.Module):
    """A small student, a large teacher, and a bridge between their features."""

    def __init__(self, words):
        super().__init__()
        self.teacher = Net(8, 24, 3, words)
        self.student = Net(6, 10, 2, words)
        self.bridge = nn.Linear(10, 24)
        for p in self.teacher.parameters():
            p.requires_grad = False
        # the cosines are good for a start; a later stage tunes them
        for p in self.student.bank.parameters():
            p.requires_grad = False

    def forward(self, x):
        with torch.no_grad():
            t_feat = self.teacher.features(x)
            t_logits = self.teacher.head(t_feat)
        s_feat = self.student.features(x)
        s_logits = self.student.head(s_feat)
        return s_logits, t_logits, self.bridge(s_feat), t_feat
