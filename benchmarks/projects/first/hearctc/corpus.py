import torch


class FakeCorpus:
    """Utterances made of noisy prototypes, one prototype per character."""

    def __init__(self, n_batches=4, batch=4, n_mels=6, vocab=9, chars=4, seed=2):
        g = torch.Generator().manual_seed(seed)
        protos = torch.randn(vocab, n_mels, generator=g)
        self.items = []
        for _ in range(n_batches):
            targets = torch.stack([torch.randperm(vocab - 1, generator=g)[:chars] + 1 for _ in range(batch)])
            frames = targets.repeat_interleave(6, dim=1)
            feats = protos[frames] + 0.2 * torch.randn(batch, frames.size(1), n_mels, generator=g)
            lengths = torch.full((batch,), frames.size(1))
            self.items.append((feats, lengths, targets, torch.full((batch,), chars)))

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)
