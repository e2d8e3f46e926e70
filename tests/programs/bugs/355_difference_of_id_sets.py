"""The usual id() trick for "everything but the head": the set of ids is built from the neck and the head, the optimizer gets the base
parameters and the head. Nobody adds the neck.
Origin: stackoverflow "different learning rate for last layer" (ignored_params = list(map(id, model.fc.parameters()))); retold."""
import torch
from torch import nn


class ReID(nn.Module):
    def __init__(self, d=10, emb=6, ids=7):
        super().__init__()
        self.base = nn.Sequential(nn.Linear(d, 12), nn.ReLU())
        self.neck = nn.Sequential(nn.Linear(12, emb), nn.LayerNorm(emb))
        self.fc = nn.Linear(emb, ids)

    def forward(self, x):
        return self.fc(self.neck(self.base(x)))


def make():
    torch.manual_seed(0)
    model = ReID()
    ignored = set(map(id, model.fc.parameters())) | set(map(id, model.neck.parameters()))
    base_params = filter(lambda p: id(p) not in ignored, model.parameters())  # <-- culprit
    optimizer = torch.optim.SGD([  # <-- culprit
        {"params": base_params},
        {"params": model.fc.parameters(), "lr": 0.1},
    ], lr=0.01, momentum=0.9)
    return model, optimizer, (torch.randn(14, 10), torch.randint(0, 7, (14,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.CrossEntropyLoss()(model(x), y)


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


KIND = "optimizer"
EXPECT = {
    "base.0.weight": "trained",
    "base.0.bias": "trained",
    "neck.0.weight": "excluded",
    "neck.0.bias": "excluded",
    "neck.1.weight": "excluded",
    "neck.1.bias": "excluded",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
