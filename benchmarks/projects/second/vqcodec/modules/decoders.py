import torch
import torch.nn as nn


class PlainDecoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.up = nn.ConvTranspose1d(channels, channels, 4, stride=2, padding=1)
        self.out = nn.Conv1d(channels, 1, 5, padding=2)

    def body(self, q):
        return torch.tanh(self.up(q))

    def forward(self, q):
        return self.out(self.body(q))


class GatedDecoder(PlainDecoder):
    def __init__(self, channels):
        super().__init__(channels)
        self.gate = nn.ConvTranspose1d(channels, channels, 4, stride=2, padding=1)

    def body(self, q):
        return super().body(q) * torch.sigmoid(self.gate(q))


def make_decoder(kind, channels):
    return {"plain": PlainDecoder, "gated": GatedDecoder}[kind](channels)
