"""A generator opens torch.no_grad() around its loop and yields from inside. The mode is the thread's: while the generator is suspended, the
training loop runs without gradients, too.
Origin: torch issue "no_grad in a generator leaks out"; retold."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.whiten = nn.Linear(4, 4, bias=False)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(torch.relu(x))


def batches(model, data, count):
    x, y = data
    with torch.no_grad():  # <-- culprit
        for _ in range(count):
            yield x @ torch.eye(4), y


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, data = make()
    losses = []
    for batch in batches(model, data, steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {
    "0.weight": "unreachable",
    "0.bias": "unreachable",
    "2.weight": "unreachable",
    "2.bias": "unreachable",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
