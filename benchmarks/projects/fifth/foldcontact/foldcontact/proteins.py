import torch

HELIX, STRAND, COIL = range(3)


def toy_chain(length, rng):
    """Alternating helices and hairpins; returns residues, structure, contacts."""
    seq, ss = [], []
    while len(seq) < length:
        kind = int(torch.randint(0, 3, (1,), generator=rng))
        n = int(torch.randint(3, 6, (1,), generator=rng))
        residues = torch.randint(0, 7, (n,), generator=rng) + 7 * kind
        seq += residues.tolist()
        ss += [kind] * n
    seq = torch.tensor(seq[:length]).clamp(max=19)
    ss = torch.tensor(ss[:length])
    pos = torch.arange(length)
    gap = (pos[:, None] - pos[None]).abs()
    same = ss[:, None] == ss[None]
    contacts = (gap <= 1) | (same & (gap == 4) & (ss == HELIX)[None]) | (same & (gap == 3) & (ss == STRAND)[None])
    return seq, ss, contacts.float()


def batch_stream(batch, length, seed):
    rng = torch.Generator().manual_seed(seed)
    while True:
        chains = [toy_chain(length, rng) for _ in range(batch)]
        yield tuple(torch.stack(t) for t in zip(*chains))
