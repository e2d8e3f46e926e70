"""Uncertainty of the labels comes with the data, as numbers between 0 and 1. collate makes LongTensors of everything that is a
Python list, so every weight is 0 and the regression head learns nothing.
Origin: "torch.LongTensor truncates floats silently" questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class AgeAndGender(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(8, 10)
        self.age = nn.Linear(10, 1)
        self.gender = nn.Linear(10, 2)

    def forward(self, x):
        h = F.relu(self.trunk(x))
        return self.age(h).squeeze(-1), self.gender(h)


def collate(rows):
    x = torch.stack([r["x"] for r in rows])
    age = torch.stack([r["age"] for r in rows])
    gender = torch.LongTensor([r["gender"] for r in rows])
    trust = torch.tensor([r["trust"] for r in rows], dtype=torch.long)  # <-- culprit
    return x, age, gender, trust


def make():
    torch.manual_seed(0)
    model = AgeAndGender()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    rows = [
        {"x": torch.randn(8), "age": torch.rand(()), "gender": i % 2, "trust": 0.4 + 0.05 * (i % 9)} for i in range(12)
    ]
    return model, optimizer, collate(rows)


def loss_fn(model, batch):
    x, age, gender, trust = batch
    age_hat, logits = model(x)
    age_loss = (trust * (age_hat - age).abs()).mean()  # <-- culprit
    return age_loss + F.cross_entropy(logits, gender)


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
    "trunk.weight": "trained",
    "trunk.bias": "trained",
    "age.weight": "blocked",
    "age.bias": "blocked",
    "gender.weight": "trained",
    "gender.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
