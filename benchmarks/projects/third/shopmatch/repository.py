"""Access to (made-up) purchases."""
from dataclasses import dataclass
from typing import Iterator, Protocol

import torch

import policy


@dataclass(frozen=True)
class Purchases:
    users: dict[str, torch.Tensor]
    items: dict[str, torch.Tensor]


class PurchaseRepository(Protocol):
    n_users: int
    n_items: int

    def stream(self) -> Iterator[Purchases]: ...


class InMemoryPurchases:
    def __init__(self, n_users: int = 30, n_items: int = 40, seed: int = 5) -> None:
        self.n_users, self.n_items = n_users, n_items
        self._rng = torch.Generator().manual_seed(seed)
        self._index = {name: i + 1 for i, name in enumerate(policy.CATEGORIES)}
        self._labels = [policy.CATEGORIES[i % len(policy.CATEGORIES)] for i in range(n_items)]

    def _category_of(self, item: int) -> int:
        label = self._labels[item].strip().upper()
        return self._index.get(label, policy.UNKNOWN_CATEGORY)

    def stream(self) -> Iterator[Purchases]:
        for _ in range(policy.BATCHES):
            items = torch.randperm(self.n_items, generator=self._rng)[: policy.BATCH_SIZE]
            jitter = torch.randint(0, 3, items.shape, generator=self._rng)
            users = (items + jitter) % self.n_users
            cats = torch.tensor([self._category_of(int(i)) for i in items])
            yield Purchases({"id": users}, {"id": items, "category": cats})
