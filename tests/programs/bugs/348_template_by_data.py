"""Meta learning by hand: at the start of each pass the task head is put back to the template's values by `.data`, also while the
head itself is what the optimizer trains.
Origin: MAML reimplementation questions; retold."""
import copy

import torch
from torch import nn
import torch.nn.functional as F


class TaskModel(nn.Module):
    def __init__(self, d=6, h=8, classes=3):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(d, h), nn.Tanh())
        self.head = nn.Linear(h, classes)
        self.template = copy.deepcopy(self.head.state_dict())

    def reset_head(self):
        for name, p in self.head.named_parameters():
            p.data = self.template[name].clone()  # <-- culprit

    def forward(self, x):
        self.reset_head()  # <-- culprit
        return self.head(self.features(x))


def make():
    torch.manual_seed(0)
    model = TaskModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, (torch.randn(15, 6), torch.randint(0, 3, (15,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=4):
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
    "features.0.weight": "trained",
    "features.0.bias": "trained",
    "head.weight": "replaced",
    "head.bias": "replaced",
}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
