import torch
from torch.nn.utils.rnn import pad_sequence


def synthesize(utterances, phonemes, length, n_mels, generator):
    """Every phoneme has its own typical duration, pitch, energy and spectrum."""
    typical = torch.randint(1, 6, (phonemes,), generator=generator)
    pitch_of = torch.randn(phonemes, generator=generator)
    energy_of = torch.randn(phonemes, generator=generator)
    spectrum = torch.randn(phonemes, n_mels, generator=generator)
    for _ in range(utterances):
        ids = torch.randint(0, phonemes, (length,), generator=generator)
        jitter = torch.randint(0, 2, (length,), generator=generator)
        duration = typical[ids] + jitter
        mel = torch.repeat_interleave(spectrum[ids], duration, dim=0)
        yield {"phonemes": ids, "duration": duration, "pitch": pitch_of[ids],
               "energy": energy_of[ids], "mel": mel + 0.1 * torch.randn(mel.shape, generator=generator)}


def collate(items):
    batch = {k: torch.stack([it[k] for it in items]) for k in ("phonemes", "duration", "pitch", "energy")}
    batch["mel"] = pad_sequence([it["mel"] for it in items], batch_first=True)
    batch["mel_mask"] = pad_sequence([torch.ones(len(it["mel"])) for it in items], batch_first=True)
    return batch


def batches(batch_size, seed, **kw):
    items = list(synthesize(generator=torch.Generator().manual_seed(seed), **kw))
    return [collate(items[i:i + batch_size]) for i in range(0, len(items), batch_size)]
