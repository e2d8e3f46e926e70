import torch
from torch import nn


class ConvBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=1)
        self.norm = nn.LayerNorm(width)

    def forward(self, h):
        y = self.conv(h.transpose(1, 2)).transpose(1, 2)
        return h + torch.tanh(self.norm(y))


class Recogniser(nn.Module):
    """Spectrogram -> syllable log-probabilities, with an intermediate CTC head."""

    def __init__(self, mels, vocab, width, blocks, regions):
        super().__init__()
        self.known = {name: i + 1 for i, name in enumerate(regions)}
        self.front = nn.Linear(mels, width)
        self.region = nn.Embedding(len(regions) + 1, width, padding_idx=0)
        self.blocks = nn.ModuleList(ConvBlock(width) for _ in range(blocks))
        self.inter_head = nn.Linear(width, vocab)
        self.head = nn.Linear(width, vocab)
        self.tempo = nn.Linear(width, 1)

    def region_ids(self, sites):
        # row 0 stands for "somewhere else"
        return torch.tensor([self.known.get(site, 0) for site in sites])

    def forward(self, spec, sites):
        h = self.front(spec) + self.region(self.region_ids(sites))[:, None]
        inter = None
        for i, block in enumerate(self.blocks):
            h = block(h)
            if i == len(self.blocks) // 2:
                inter = self.inter_head(h).log_softmax(-1)
        return {
            "final": self.head(h).log_softmax(-1),
            "inter": inter,
            "hidden": h,
        }
