"""Rain cells that drift over a small window and fade."""
import torch


def sequence(frames, size, rng):
    ys, xs = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    field = torch.zeros(frames, size, size)
    for _ in range(3):
        pos = torch.rand(2, generator=rng) * size
        drift = torch.randn(2, generator=rng)
        strength = 1 + 2 * torch.rand(1, generator=rng)
        for t in range(frames):
            y, x = pos + t * drift
            field[t] += strength * 0.95 ** t * torch.exp(-((ys - y) ** 2 + (xs - x) ** 2) / 6)
    return field


class RadarArchive:
    def __init__(self, sequences=16, past=3, future=2, size=10, batch=4, seed=9):
        rng = torch.Generator().manual_seed(seed)
        self.fields = torch.stack([sequence(past + future, size, rng) for _ in range(sequences)])
        self.past, self.batch = past, batch

    def __iter__(self):
        for chunk in self.fields.split(self.batch):
            yield chunk[:, :self.past], chunk[:, self.past:]
