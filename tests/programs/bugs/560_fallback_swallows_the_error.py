"""The fancy attention block has a shape error. A try/except that was meant for old torch versions falls back to the mean, silently.
Origin: "one module of my network never gets gradients" - it raised; retold."""
import torch
from torch import nn


class Pool(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.score = nn.Linear(d, 1)
        self.mix = nn.Linear(d, d)

    def forward(self, x):
        weight = self.score(x).softmax(1).transpose(1, 2)
        return self.mix(weight @ x.transpose(1, 2)).squeeze(1)  # <-- culprit


class Classifier(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp, self.pool, self.out = nn.Linear(4, d), Pool(d), nn.Linear(d, 3)

    def forward(self, x):
        h = torch.tanh(self.inp(x))
        try:
            pooled = self.pool(h)
        except RuntimeError:  # <-- culprit
            pooled = h.mean(1)
        return self.out(pooled)


def make():
    torch.manual_seed(0)
    model = Classifier()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(5, 7, 4), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "pool.score.weight": "unreachable",
    "pool.score.bias": "unreachable",
    "pool.mix.weight": "unreachable",
    "pool.mix.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
