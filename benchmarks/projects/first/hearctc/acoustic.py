import torch
from torch import nn


class Subsample(nn.Module):
    """Two strided convolutions: a fourth of the frames remain."""

    factor = 4

    def __init__(self, n_mels, dim):
        super().__init__()
        self.conv_a = nn.Conv1d(n_mels, dim, 3, stride=2, padding=1)
        self.conv_b = nn.Conv1d(dim, dim, 3, stride=2, padding=1)

    def forward(self, feats):
        x = torch.relu(self.conv_a(feats.transpose(1, 2)))
        return torch.relu(self.conv_b(x)).transpose(1, 2)

    def out_lengths(self, lengths):
        return torch.div(lengths + self.factor - 1, self.factor, rounding_mode="floor")


class CharDecoder(nn.Module):
    """Attention decoder used as a second objective."""

    def __init__(self, vocab, dim):
        super().__init__()
        self.embed = nn.Embedding(vocab + 1, dim)
        self.cell = nn.GRUCell(dim, dim)
        self.readout = nn.Linear(2 * dim, vocab)

    def forward(self, memory, targets):
        h = memory.mean(dim=1)
        prev = torch.full_like(targets[:, 0], self.embed.num_embeddings - 1)
        outs = []
        for t in range(targets.size(1)):
            h = self.cell(self.embed(prev), h)
            w = torch.einsum("bd,btd->bt", h, memory).softmax(-1)
            ctx = torch.einsum("bt,btd->bd", w, memory)
            outs.append(self.readout(torch.cat([h, ctx], -1)))
            prev = targets[:, t]
        return torch.stack(outs, 1)
