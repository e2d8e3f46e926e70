import torch
from torch import nn


class ConvSubsampler(nn.Module):
    def __init__(self, n_in, n_out, factor):
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv1d(n_in, n_out, kernel_size=factor + 1, stride=factor, padding=factor // 2)
        self.norm = nn.LayerNorm(n_out)

    def lengths(self, n):
        return (n + 2 * (self.factor // 2) - self.factor - 1) // self.factor + 1

    def forward(self, x):
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return torch.nn.functional.gelu(self.norm(y))


class SpeechModel(nn.Module):
    def __init__(self, n_mels, vocab, hidden, subsample, dropout):
        super().__init__()
        self.front = ConvSubsampler(n_mels, hidden, subsample)
        self.rnn = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden, vocab)

    def forward(self, feats, lengths):
        h = self.front(feats)
        h, _ = self.rnn(h)
        logits = self.head(self.drop(h))
        return logits.log_softmax(-1), self.front.lengths(lengths)
