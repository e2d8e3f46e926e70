"""Positions as 64 piece codes: 0 empty, 1-6 white P N B R Q K, 7-12 black."""
import torch

WORTH = torch.tensor([0., 1, 3, 3, 5, 9, 0, -1, -3, -3, -5, -9, 0])
LOSS, DRAW, WIN = range(3)
MOVE_BUCKETS = 8


def random_positions(n, rng):
    squares = torch.zeros(n, 64, dtype=torch.long)
    for row in squares:
        pieces = torch.randint(1, 13, (10,), generator=rng)
        row[torch.randperm(64, generator=rng)[:10]] = pieces
    return squares


def outcome(squares):
    balance = WORTH[squares].sum(1)
    result = torch.full_like(squares[:, 0], DRAW)
    result[balance > 2] = WIN
    result[balance < -2] = LOSS
    return result


def best_bucket(squares):
    """The file on which the most valuable enemy piece stands."""
    prey = (-WORTH[squares]).argmax(1)
    return prey % MOVE_BUCKETS


def legal_buckets(squares):
    files = squares.view(-1, 8, 8)
    return (files > 6).any(1) | torch.nn.functional.one_hot(best_bucket(squares), MOVE_BUCKETS).bool()
