import torch
from torch import nn


class SwitchRouter(nn.Module):
    """Hard top-1 choice; trained by the auxiliary terms only."""

    def __init__(self, dim, experts):
        super().__init__()
        self.gate = nn.Linear(dim, experts, bias=False)
        self.experts = experts

    def forward(self, x):
        logits = self.gate(x)
        probs = logits.softmax(-1)
        choice = probs.argmax(-1)
        frac = nn.functional.one_hot(choice, self.experts).float().mean(0)
        aux = {
            "balance": self.experts * (frac * probs.mean(0)).sum(),
            "z": torch.logsumexp(logits, -1).pow(2).mean(),
        }
        return choice, aux


def dispatch(choice, expert, capacity):
    """Indices of the tokens an expert accepts, at most `capacity` of them."""
    idx = (choice == expert).nonzero().flatten()
    return idx[:capacity]
