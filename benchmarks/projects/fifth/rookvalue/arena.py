"""The candidate becomes champion only when it wins enough of a match."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

GATE = 0.55


def errors(net, position):
    squares, legal, result, move = position
    wdl, moves = net(squares, legal)
    return F.cross_entropy(wdl, result, reduction="none") + F.cross_entropy(moves, move, reduction="none")


def seat(net):
    champion = copy.deepcopy(net).requires_grad_(False)
    return nn.ModuleDict({"candidate": net, "champion": champion})


@torch.no_grad()
def match(players, position):
    new = errors(players["candidate"], position)
    old = errors(players["champion"], position)
    return (new < old).float().mean().item()


def gate(players, position):
    rate = match(players, position)
    promoted = rate > GATE
    winner, loser = ("candidate", "champion") if promoted else ("champion", "candidate")
    players[loser].load_state_dict(players[winner].state_dict())
    return rate, promoted
