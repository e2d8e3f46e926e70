"""The auxiliary head is trained in the first round only, and its optimizer steps on: nobody clears its gradient, and each round repeats
the first step."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.rotation = nn.Linear(4, 8), nn.Linear(8, 2), nn.Linear(8, 4)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD([*model.body.parameters(), *model.head.parameters()], lr=0.1), torch.randn(8, 4)


def loss_fn(model, x):
    return nn.functional.cross_entropy(model.head(torch.tanh(model.body(x))), x[:, 0].gt(0).long())


def turned(model, x):
    return nn.functional.cross_entropy(model.rotation(torch.tanh(model.body(x)).detach()), torch.arange(8) % 4)


def train(steps=6):
    model, optimizer, _ = make()
    beside = torch.optim.SGD(model.rotation.parameters(), lr=0.1)
    losses = []
    for number in range(steps):
        x = torch.randn(8, 4)
        optimizer.zero_grad()
        if number == 0:
            turned(model, x).backward()  # <-- culprit
        loss = loss_fn(model, x)
        loss.backward()
        optimizer.step()
        beside.step()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {f"{m}.{n}": "trained" for m in ("body", "head", "rotation") for n in ("weight", "bias")}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
