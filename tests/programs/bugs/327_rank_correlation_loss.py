"""A Spearman loss computed from ranks: argsort of argsort. The ranks are integers, and only the small mean-matching term
trains, through the output bias's head.
Origin: "spearman correlation as a loss" questions; retold."""
import torch
from torch import nn


class Scorer(nn.Module):
    def __init__(self, d=6, h=10):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, h), nn.Tanh())
        self.rank_head = nn.Linear(h, 1)
        self.value_head = nn.Linear(h, 1)

    def forward(self, x):
        h = self.body(x)
        return self.rank_head(h).squeeze(-1), self.value_head(h).squeeze(-1)


def to_ranks(v):
    order = v.argsort()  # <-- culprit
    return order.argsort().float()


def spearman(a, b):
    ra, rb = to_ranks(a), to_ranks(b)
    ra, rb = ra - ra.mean(), rb - rb.mean()
    return (ra * rb).sum() / (ra.norm() * rb.norm())


def loss_fn(model, batch):
    x, y = batch
    score, value = model(x)
    return (1 - spearman(score, y)) + 0.1 * (value - y).pow(2).mean()


def make():
    torch.manual_seed(0)
    model = Scorer()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return model, optimizer, (torch.randn(20, 6), torch.randn(20))


class Fitter:
    def __init__(self, model, optimizer):
        self.model, self.optimizer, self.curve = model, optimizer, []

    def fit(self, batch, epochs):
        for _ in range(epochs):
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer.step()
            self.curve.append(loss.item())
        return self


def train(steps=3):
    model, optimizer, batch = make()
    return model, Fitter(model, optimizer).fit(batch, steps).curve


KIND = "loss"
EXPECT = {
    "body.0.weight": "trained",
    "body.0.bias": "trained",
    "rank_head.weight": "unreachable",
    "rank_head.bias": "unreachable",
    "value_head.weight": "trained",
    "value_head.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
