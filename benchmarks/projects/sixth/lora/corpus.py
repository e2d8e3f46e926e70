import torch


def reviews(n=192, length=10, vocab=40, seed=0):
    """Token sequences; the label says whether 'good' tokens outnumber 'bad' ones."""
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocab, (n, length), generator=g)
    good, bad = (ids < 8).sum(1), ((ids >= 8) & (ids < 16)).sum(1)
    return ids, (good > bad).long()
