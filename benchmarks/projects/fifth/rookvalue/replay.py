import torch

from board import best_bucket, legal_buckets, outcome, random_positions


class Replay:
    """A bounded store of finished games, sampled uniformly."""

    def __init__(self, capacity, seed):
        self.capacity = capacity
        self.rng = torch.Generator().manual_seed(seed)
        self.squares = torch.empty(0, 64, dtype=torch.long)

    def play(self, games):
        fresh = random_positions(games, self.rng)
        self.squares = torch.cat([self.squares, fresh])[-self.capacity:]

    def sample(self, n):
        pick = torch.randint(0, len(self.squares), (n,), generator=self.rng)
        return self.label(self.squares[pick])

    @staticmethod
    def label(squares):
        return squares, legal_buckets(squares), outcome(squares), best_bucket(squares)
