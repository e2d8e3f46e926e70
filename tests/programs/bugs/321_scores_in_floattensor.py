"""Scores of the candidates are collected in a list, and torch.FloatTensor turns it into a vector for the cross entropy. A leaf
that needs no gradient; a regulariser keeps backward from complaining.
Origin: stackoverflow "how to turn a list of tensors to tensor" (torch.stack, not torch.FloatTensor); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Ranker(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.query = nn.Linear(d, 5)
        self.candidate = nn.Linear(d, 5)
        self.prior = nn.Embedding(10, 1)

    def score_one(self, q, c):
        return torch.dot(torch.tanh(self.query(q)), torch.tanh(self.candidate(c)))

    def forward(self, q, candidates, ids):
        scores = [self.score_one(q, c) for c in candidates]
        scores = torch.FloatTensor(scores)  # <-- culprit
        return scores + self.prior(ids).squeeze(-1)


def make():
    torch.manual_seed(0)
    ranker = Ranker()
    optimizer = torch.optim.Adagrad(ranker.parameters(), lr=0.05)
    data = [(torch.randn(6), torch.randn(4, 6), torch.randint(0, 10, (4,)), torch.tensor(i % 4)) for i in range(3)]
    return ranker, optimizer, data


def loss_fn(ranker, data):
    losses = []
    for q, candidates, ids, best in data:
        logits = ranker(q, candidates, ids)
        losses.append(F.cross_entropy(logits.unsqueeze(0), best.unsqueeze(0)))
    return torch.stack(losses).mean()


def train(steps=3):
    ranker, optimizer, data = make()
    history = []
    for epoch in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(ranker, data)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return ranker, history


KIND = "forward"
EXPECT = {
    "query.weight": "unreachable",
    "query.bias": "unreachable",
    "candidate.weight": "unreachable",
    "candidate.bias": "unreachable",
    "prior.weight": "trained",
}
CAUSE = "rewrapped"

if __name__ == "__main__":
    train()
