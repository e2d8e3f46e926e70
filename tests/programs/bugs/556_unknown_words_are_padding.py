"""Words are looked up with dict.get(word, 0). The vocabulary was lower-cased and the text was not, so every word is number 0, which is the
padding: its row gets no gradient, and a row of zeros gives the next layer's weight none.
Origin: "embedding weights do not change, padding_idx" question; retold."""
import torch
from torch import nn

TEXTS = ["GOOD FILM", "BAD FILM", "GOOD PLOT", "BAD PLOT"]
VOCAB = {word: i + 1 for i, word in enumerate(["good", "bad", "film", "plot"])}


def encode(text):
    return [VOCAB.get(word, 0) for word in text.split()]  # <-- culprit


class Bag(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.emb = nn.Embedding(len(VOCAB) + 1, d, padding_idx=0)  # <-- culprit
        self.fc = nn.Linear(d, 2)

    def forward(self, ids):
        return self.fc(self.emb(ids).mean(1))


def make():
    torch.manual_seed(0)
    model = Bag()
    ids = torch.tensor([encode(text) for text in TEXTS])
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (ids, torch.tensor([1, 0, 1, 1]))


def loss_fn(model, batch):
    ids, y = batch
    return nn.functional.cross_entropy(model(ids), y)  # <-- culprit


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


KIND = "loss"
EXPECT = {
    "emb.weight": "blocked",
    "fc.weight": "blocked",
    "fc.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
