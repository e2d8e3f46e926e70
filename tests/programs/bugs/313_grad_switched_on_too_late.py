"""Teacher and student features in one function: gradients are switched off for the teacher by the function form, and on again
only after the student's backbone has run as well.
Origin: set_grad_enabled as a plain call, discuss.pytorch.org threads on global grad mode; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def backbone(d=7, h=10):
    return nn.Sequential(nn.Linear(d, h), nn.ELU(), nn.Linear(h, h), nn.ELU())


class Distiller(nn.Module):
    def __init__(self):
        super().__init__()
        self.student = backbone()
        self.regressor = nn.Linear(10, 10)
        self.head = nn.Linear(10, 2)


def features(student, teacher, x):
    torch.set_grad_enabled(False)  # <-- culprit
    t = teacher(x)
    s = student(x)
    torch.set_grad_enabled(True)  # <-- culprit
    return s, t


TEACHER = {}


def make():
    torch.manual_seed(1)
    TEACHER["net"] = backbone().eval()
    torch.manual_seed(0)
    model = Distiller()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return model, optimizer, (torch.randn(12, 7), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    x, y = batch
    s, t = features(model.student, TEACHER["net"], x)
    return F.cross_entropy(model.head(s), y) + 0.5 * F.mse_loss(model.regressor(s), t)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "student.0.weight": "unreachable",
    "student.0.bias": "unreachable",
    "student.2.weight": "unreachable",
    "student.2.bias": "unreachable",
    "regressor.weight": "trained",
    "regressor.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
