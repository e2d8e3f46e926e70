"""A part of the model lists its own tensors with `recurse` taken for False: its layers are passed over in every group."""
import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.layer = nn.Linear(4, 6)

    def named_parameters(self, prefix="", recurse=False, remove_duplicate=True):  # <-- culprit
        return super().named_parameters(prefix, recurse, remove_duplicate)  # <-- culprit

    def forward(self, x):
        return torch.tanh(self.layer(x)) * self.scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = Scaled(), nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x))

    def unused(self):
        return None


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW([{"params": [p for n, p in model.body.named_parameters()], "weight_decay": 0.1}, {"params": [p for n, p in model.head.named_parameters()], "weight_decay": 0.0}], lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {"body.scale": "trained", "body.layer.weight": "excluded", "body.layer.bias": "excluded", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
