import torch
import torch.nn as nn


class WaveEncoder(nn.Module):
    """1-d convolutions with stride, residual unit in between."""

    def __init__(self, channels):
        super().__init__()
        self.pre = nn.Conv1d(1, channels, 5, padding=2)
        self.down = nn.Conv1d(channels, channels, 4, stride=2, padding=1)
        self.res = nn.Conv1d(channels, channels, 3, padding=1)
        self.post = nn.Conv1d(channels, channels, 1)

    def forward(self, wav):
        h = torch.tanh(self.pre(wav))
        h = torch.tanh(self.down(h))
        h = h + torch.tanh(self.res(h))
        return self.post(h)
