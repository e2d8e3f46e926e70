import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from predictors import make_predictor


class VarianceAdaptor(nn.Module):
    """Adds pitch and energy to the phoneme states, then stretches them to frames."""

    def __init__(self, dim, specs):
        super().__init__()
        self.predictors = nn.ModuleDict({name: make_predictor(s, dim) for name, s in specs.items()})
        self.pitch_in = nn.Linear(1, dim)
        self.energy_in = nn.Linear(1, dim)

    def regulate(self, x, frames):
        rows = [torch.repeat_interleave(row, n, dim=0) for row, n in zip(x, frames)]
        return pad_sequence(rows, batch_first=True)

    def forward(self, x, duration=None, pitch=None, energy=None):
        pred = {name: net(x) for name, net in self.predictors.items()}
        pred["duration"] = F.softplus(pred["duration"])
        if duration is None:
            duration = pred["duration"].round().clamp(min=1).long()
            pitch, energy = pred["pitch"], pred["energy"]
        x = x + self.pitch_in(pitch.unsqueeze(-1)) + self.energy_in(energy.unsqueeze(-1))
        return self.regulate(x, duration), pred


class FastSpeaker(nn.Module):
    def __init__(self, phonemes, n_mels, dim, predictors):
        super().__init__()
        self.embed = nn.Embedding(phonemes, dim)
        self.encoder = nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True)
        self.adaptor = VarianceAdaptor(dim, predictors)
        self.decoder = nn.GRU(dim, dim, batch_first=True)
        self.to_mel = nn.Linear(dim, n_mels)

    def forward(self, phonemes, **targets):
        states, _ = self.encoder(self.embed(phonemes))
        frames, pred = self.adaptor(states, **targets)
        pred["mel"] = self.to_mel(self.decoder(frames)[0])
        return pred
