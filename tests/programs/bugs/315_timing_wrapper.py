"""A decorator that measures the time of a method. It was written for the benchmark script and runs the method under no_grad;
imported by the training code, it stays around the backbone's forward.
Origin: "grad_fn is None after adding a decorator" threads; retold."""
import functools
import time

import torch
from torch import nn
import torch.nn.functional as F

TIMES = {}


def timed(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        begin = time.perf_counter()
        with torch.no_grad():  # <-- culprit
            result = fn(*args, **kwargs)
        TIMES.setdefault(fn.__qualname__, []).append(time.perf_counter() - begin)
        return result
    return wrapper


class TextBackbone(nn.Module):
    def __init__(self, vocab, d):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, padding_idx=0)
        self.rnn = nn.GRU(d, d, bidirectional=True, batch_first=True)

    @timed  # <-- culprit
    def forward(self, ids):
        states, _ = self.rnn(self.emb(ids))
        return states.max(dim=1).values


class Classifier(nn.Module):
    def __init__(self, vocab=25, d=6, classes=4):
        super().__init__()
        self.text = TextBackbone(vocab, d)
        self.norm = nn.LayerNorm(2 * d)
        self.out = nn.Linear(2 * d, classes)

    def forward(self, ids):
        return self.out(self.norm(self.text(ids)))


def make():
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return model, optimizer, (torch.randint(1, 25, (5, 8)), torch.randint(0, 4, (5,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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
    "text.emb.weight": "unreachable",
    "text.rnn.weight_ih_l0": "unreachable",
    "text.rnn.weight_hh_l0": "unreachable",
    "text.rnn.bias_ih_l0": "unreachable",
    "text.rnn.bias_hh_l0": "unreachable",
    "text.rnn.weight_ih_l0_reverse": "unreachable",
    "text.rnn.weight_hh_l0_reverse": "unreachable",
    "text.rnn.bias_ih_l0_reverse": "unreachable",
    "text.rnn.bias_hh_l0_reverse": "unreachable",
    "norm.weight": "trained",
    "norm.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
