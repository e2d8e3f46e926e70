import torch

PAD, BOS, EOS = 0, 1, 2
FIRST_NAME = 20
VOCAB = 32


def story(rng, length=12):
    """Filler words with three names; the headline repeats the names in order."""
    words = torch.randint(3, FIRST_NAME, (length,), generator=rng)
    spots = torch.randperm(length, generator=rng)[:3].sort().values
    names = torch.randint(FIRST_NAME, VOCAB, (3,), generator=rng)
    words[spots] = names
    verb = words[words < FIRST_NAME].max()
    head = torch.cat([torch.tensor([BOS]), names[:1], verb[None], names[1:], torch.tensor([EOS])])
    return words, head


def load(n, batch, seed):
    rng = torch.Generator().manual_seed(seed)
    pairs = [story(rng) for _ in range(n)]
    for i in range(0, n, batch):
        src, tgt = zip(*pairs[i:i + batch])
        yield torch.stack(src), torch.stack(tgt)
