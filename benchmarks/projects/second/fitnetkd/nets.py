import copy

from torch import nn


class ConvUnit(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(2, cout)

    def forward(self, x):
        return nn.functional.silu(self.norm(self.conv(x)))


class StackNet(nn.Module):
    def __init__(self, width, depth, classes=4, stem=None):
        super().__init__()
        self.stem = stem or nn.Conv2d(1, 8, 3, padding=1)
        self.units = nn.ModuleList([ConvUnit(8 if i == 0 else width, width) for i in range(depth)])
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        feats = []
        x = self.stem(x)
        for unit in self.units:
            x = unit(x)
            feats.append(x)
        return self.fc(x.mean(dim=(2, 3))), feats


def load_teacher(width=12, depth=3):
    return StackNet(width, depth)


def student_from(teacher, width=6, depth=2):
    """The student begins with a copy of the teacher's stem."""
    return StackNet(width, depth, stem=copy.deepcopy(teacher.stem))
