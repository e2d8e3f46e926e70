"""A decoder that is fed its own argmax half of the time; the cross-entropy at every tick trains it. Accuracy is logged by item().
Origin: scheduled sampling, Bengio et al. 2015."""
import random

import torch
from torch import nn
import torch.nn.functional as F


class Speller(nn.Module):
    def __init__(self, v=9, h=8):
        super().__init__()
        self.emb, self.cell, self.out = nn.Embedding(v, h), nn.LSTMCell(h, h), nn.Linear(h, v)
        self.start = nn.Parameter(torch.randn(h))

    def forward(self, target, teacher=0.5):
        b = len(target)
        state = (target.new_zeros(b, 8, dtype=torch.float), target.new_zeros(b, 8, dtype=torch.float))
        inp, logits = self.start.expand(b, -1), []
        for t in range(target.shape[1]):
            state = self.cell(inp, state)
            logits.append(self.out(state[0]))
            chosen = target[:, t] if random.random() < teacher else logits[-1].argmax(-1)
            inp = self.emb(chosen)
        return torch.stack(logits, 1)


def make():
    torch.manual_seed(0)
    random.seed(0)
    model = Speller()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randint(0, 9, (6, 5))


def loss_fn(model, target):
    logits = model(target)
    model.accuracy = (logits.argmax(-1) == target).float().mean().item()
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "healthy"
EXPECT = {
    "emb.weight": "trained",
    "cell.weight_ih": "trained",
    "cell.weight_hh": "trained",
    "cell.bias_ih": "trained",
    "cell.bias_hh": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "start": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
