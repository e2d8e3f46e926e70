"""Plausibility of (subject, relation, object) vectors: the higher the better."""
import torch

_SCORERS = {}


def scorer(name):
    def deco(fn):
        _SCORERS[name] = fn
        return fn
    return deco


def get_scorer(name):
    try:
        return _SCORERS[name]
    except KeyError:
        raise ValueError(f"scorer {name!r}? known: {', '.join(sorted(_SCORERS))}") from None


@scorer("transe")
def transe(s, r, o):
    return -(s + r - o).norm(dim=-1)


@scorer("distmult")
def distmult(s, r, o):
    return (s * r * o).sum(-1)


@scorer("rotate")
def rotate(s, r, o):
    """The relation is a rotation of each complex coordinate."""
    re, im = s.chunk(2, -1)
    phase = r.chunk(2, -1)[0] + r.chunk(2, -1)[1]
    cos, sin = torch.cos(phase), torch.sin(phase)
    turned = torch.cat([re * cos - im * sin, re * sin + im * cos], -1)
    return -(turned - o).norm(dim=-1)
