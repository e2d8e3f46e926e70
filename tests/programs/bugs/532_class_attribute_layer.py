"""A projection is to be shared by all instances, so it is a class attribute. nn.Module registers what is assigned to self.
Origin: "defining layers as class variables in nn.Module" on stackoverflow; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Tower(nn.Module):
    project = nn.Linear(8, 4)  # <-- culprit

    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Linear(n_in, 8)

    def forward(self, x):
        return F.normalize(self.project(torch.relu(self.body(x))), dim=-1)


class Dual(nn.Module):
    def __init__(self):
        super().__init__()
        self.text, self.image = Tower(5), Tower(7)
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, t, i):
        return self.log_scale.exp() * self.text(t) @ self.image(i).T


def make():
    torch.manual_seed(0)
    model = Dual()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.randn(8, 5), torch.randn(8, 7))


def loss_fn(model, batch):
    logits = model(*batch)
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


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


KIND = "registration"
EXPECT = {
    "text.body.weight": "trained",
    "text.body.bias": "trained",
    "image.body.weight": "trained",
    "image.body.bias": "trained",
    "log_scale": "trained",
    "?project.weight": "unregistered",
    "?project.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
