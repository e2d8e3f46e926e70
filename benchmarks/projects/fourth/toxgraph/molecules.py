from typing import Iterator, NamedTuple

import torch

ATOMS, BONDS = 5, 3


class Batch(NamedTuple):
    atoms: torch.Tensor
    edges: torch.Tensor
    bond: torch.Tensor
    owner: torch.Tensor
    size: int
    y: dict


def batches(n: int, size: int = 5, seed: int = 2) -> Iterator[Batch]:
    """Rings of four to seven atoms."""
    g = torch.Generator().manual_seed(seed)
    for _ in range(n):
        atoms, src, dst, bond, owner = [], [], [], [], []
        for m in range(size):
            k = int(torch.randint(4, 8, (), generator=g))
            base = len(atoms)
            atoms += torch.randint(0, ATOMS, (k,), generator=g).tolist()
            kinds = torch.randint(0, BONDS, (k,), generator=g).tolist()
            for i in range(k):
                a, b = base + i, base + (i + 1) % k
                src += [a, b]
                dst += [b, a]
                bond += [kinds[i]] * 2
            owner += [m] * k
        y = {t: torch.randn(size, generator=g) for t in ("toxicity", "solubility", "clearance")}
        yield Batch(torch.tensor(atoms), torch.tensor([src, dst]), torch.tensor(bond), torch.tensor(owner), size, y)
