"""Layer-wise gradient scales by hooks made in a loop. All of the lambdas read the scale of the last layer, which is meant to rest.
Origin: made up after Python's late-binding closures FAQ."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 6)
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.second(torch.tanh(self.first(x)))))


SCALES = {"first": 0.5, "second": 1.0, "out": 0.0}


def make():
    torch.manual_seed(0)
    model = Net()
    for name, p in model.named_parameters():
        scale = SCALES[name.split(".")[0]]
        p.register_hook(lambda grad: grad * scale)  # <-- culprit
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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
EXPECT = {f"{m}.{n}": "blocked" for m in ("first", "second", "out") for n in ("weight", "bias")}
CAUSE = "hook"

if __name__ == "__main__":
    train()
