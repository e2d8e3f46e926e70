"""The model's own `named_parameters` hides the teacher, which is averaged and never trained."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)
        self.teacher = nn.Linear(6, 1)

    def named_parameters(self, *args, **kwargs):
        for name, parameter in super().named_parameters(*args, **kwargs):
            if not name.startswith("teacher"):
                yield name, parameter

    @torch.no_grad()
    def average(self):
        for ours, theirs in zip(self.teacher.parameters(), self.head.parameters()):
            ours.lerp_(theirs, 0.1)

    def forward(self, x):
        hidden = self.body(x)
        with torch.no_grad():
            wanted = self.teacher(hidden)
        return self.head(hidden) + 0.1 * wanted


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


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
        model.average()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("body.0.weight", "body.0.bias", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
