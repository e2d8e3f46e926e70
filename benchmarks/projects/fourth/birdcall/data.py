"""Made-up bird calls: every syllable is a band of the spectrum."""
import torch

SYLLABLES = ["<blank>", "tsip", "chirr", "weet", "krak"]
SITES = ("marsh", "heath")


def render(syllables, frames, mels, noise):
    """Spectrogram with one blob for each syllable."""
    spec = 0.2 * noise
    span = frames // len(syllables)
    for k, s in enumerate(syllables):
        start = k * span
        spec[start:start + span // 2 + 1, 2 * (s - 1):2 * s] += 1.0
    return spec


def clips(steps, batch, frames, mels, seed=4):
    g = torch.Generator().manual_seed(seed)
    for step in range(steps):
        counts = torch.randint(2, 5, (batch,), generator=g).tolist()
        labels = [torch.randint(1, len(SYLLABLES), (n,), generator=g) for n in counts]
        specs = [
            render(l.tolist(), frames, mels, torch.randn(frames, mels, generator=g)) for l in labels
        ]
        yield {
            "spec": torch.stack(specs),
            "labels": torch.cat(labels),
            "counts": torch.tensor(counts),
            "site": [SITES[(step + i) % len(SITES)] for i in range(batch)],
        }
