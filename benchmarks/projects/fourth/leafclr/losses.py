from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(query: Tensor, keys: Tensor, bank: Tensor | None, log_scale: Tensor) -> Tensor:
    query = F.normalize(query, dim=1)
    logits = query @ keys.T
    if bank is not None:
        logits = torch.cat([logits, query @ bank.T], dim=1)
    scale = log_scale.exp()
    return F.cross_entropy(scale * logits, torch.arange(len(query)))


def probe_loss(probe: torch.nn.Module, h: Tensor, species: Tensor) -> Tensor:
    """The probe reads the features and leaves them alone."""
    return F.cross_entropy(probe(h.detach()), species)
