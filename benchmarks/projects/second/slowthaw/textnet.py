import torch
from torch import nn


class TextNet(nn.Module):
    def __init__(self, n_words, dim=10, hidden=12):
        super().__init__()
        self.embed = nn.Embedding(n_words, dim)
        self.rnn1 = nn.GRU(dim, hidden, batch_first=True)
        self.rnn2 = nn.GRU(hidden, hidden, batch_first=True)
        self.classify = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))

    def forward(self, ids):
        h, _ = self.rnn1(self.embed(ids))
        h, _ = self.rnn2(h)
        pooled = torch.cat([h.mean(1), h.amax(1)], dim=-1)
        return self.classify(pooled)

    def layer_groups(self):
        """From the bottom to the top."""
        return [self.embed, self.rnn1, self.rnn2, self.classify]
