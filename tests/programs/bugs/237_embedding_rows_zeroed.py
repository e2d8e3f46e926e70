"""The rows of the pretrained words shall stay: their gradient is zeroed by hand. The bound is the whole vocabulary.
Origin: made up after "freeze part of an embedding" answers."""
import torch
from torch import nn


class Words(nn.Module):
    def __init__(self, vocab=14, pretrained=14):
        super().__init__()
        self.emb = nn.Embedding(vocab, 6)
        self.fc = nn.Linear(6, 3)
        self.pretrained = pretrained

    def forward(self, t):
        return self.fc(self.emb(t).mean(1))


def keep_pretrained(model):
    model.emb.weight.grad[:model.pretrained] = 0  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Words()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randint(0, 14, (6, 5)), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        keep_pretrained(model)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"emb.weight": "blocked", "fc.weight": "trained", "fc.bias": "trained"}
CAUSE = "other"

if __name__ == "__main__":
    train()
