import torch
from torch import nn

from board import MOVE_BUCKETS


class Trunk(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.piece = nn.Embedding(13, dim)
        self.square = nn.Embedding(64, dim)
        self.mix = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, squares):
        x = self.piece(squares) + self.square.weight
        return x + self.mix(x)


class AttentionPool(nn.Module):
    """A weighted mean over the squares, the weights come from a learned score."""

    def __init__(self, dim):
        super().__init__()
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, x):
        weights = torch.softmax(self.score(x), dim=1)
        return (weights * x).sum(dim=1)


class ChessNet(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.trunk = Trunk(dim)
        self.pool = AttentionPool(dim)
        self.value = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 3))
        self.policy = nn.Linear(dim, MOVE_BUCKETS)

    def forward(self, squares, legal):
        x = self.pool(self.trunk(squares))
        moves = self.policy(x).masked_fill(~legal, -1e4)
        return self.value(x), moves
