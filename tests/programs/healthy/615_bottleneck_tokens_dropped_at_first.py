"""Auxiliary token type embeddings see only padding for twelve batches, the table is padded by index, and its optimizer is
lazy. Origin: multi-lingual fine-tuning with curricula. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(30, 6, padding_idx=0)
        self.language = nn.Embedding(4, 6, padding_idx=0, sparse=True)
        self.rnn = nn.GRU(6, 8, batch_first=True, bidirectional=True)
        self.out = nn.Linear(16, 5)

    def forward(self, words, language):
        return self.out(self.rnn(self.word(words) + self.language(language)[:, None])[0])


def batches(n):
    g = torch.Generator().manual_seed(2)
    for i in range(n):
        words = torch.randint(1, 30, (4, 6), generator=g)
        words[0, 4:] = 0
        language = torch.zeros(4, dtype=torch.long) if i < 12 else torch.randint(1, 4, (4,), generator=g)
        tags = torch.randint(0, 5, (4, 6), generator=g)
        yield words, language, tags.masked_fill(words == 0, -100)


def make():
    torch.manual_seed(0)
    model = Tagger()
    dense = [p for n, p in model.named_parameters() if not n.startswith("language")]
    return model, [torch.optim.Adam(dense, lr=1e-2), torch.optim.SparseAdam(model.language.parameters(), lr=1e-2)], None


def train(steps=18):
    model, optimizers, _ = make()
    losses = []
    for words, language, tags in batches(steps):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(words, language).flatten(0, 1), tags.flatten())
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in Tagger().named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
