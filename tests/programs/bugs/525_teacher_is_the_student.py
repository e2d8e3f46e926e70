"""Mean teacher: consistency between student and teacher. The teacher is the student itself (no deepcopy), without dropout there is no
difference, and the consistency loss is zero; only the labelled part would train, and it was given weight to the classifier only.
Origin: mean-teacher reimplementations, "consistency loss is always 0"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 10), nn.ELU(), nn.Linear(10, 5))
        self.classifier = nn.Linear(6, 3)

    def forward(self, x):
        return self.encoder(x), self.classifier(x)


class MeanTeacher:
    def __init__(self, student):
        self.student = student
        self.teacher = student  # <-- culprit

    def loss(self, x, y):
        z, logits = self.student(x)
        with torch.no_grad():
            z_t, _ = self.teacher(x)
        return F.mse_loss(z, z_t) + F.cross_entropy(logits, y)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 3, (9,)))


def loss_fn(model, batch):
    return MeanTeacher(model).loss(*batch)


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


KIND = "loss"
EXPECT = {
    "encoder.0.weight": "blocked",
    "encoder.0.bias": "blocked",
    "encoder.2.weight": "blocked",
    "encoder.2.bias": "blocked",
    "classifier.weight": "trained",
    "classifier.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
