from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def conv_backbone(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, stride=2, padding=1), nn.GELU(),
        nn.Conv2d(width, width, 3, stride=2, padding=1), nn.GELU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


def projector(width: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, dim))


class LeafContrast(nn.Module):
    """Whole leaves and crops against keys from a slowly moving copy."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.backbone = conv_backbone(width)
        self.proj_whole = projector(width, dim)
        self.proj_crop = projector(width, dim)
        self.key = copy.deepcopy(nn.Sequential(self.backbone, self.proj_whole)).requires_grad_(False)
        self.log_scale = nn.Parameter(torch.tensor(1.5))
        self.probe = nn.Linear(width, 2)
        self.width = width

    def attach_probe(self, n_species: int) -> None:
        """Linear probe for as many species as the catalogue has."""
        self.probe = nn.Linear(self.width, n_species)

    def queries(self, whole: Tensor, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h_whole = self.backbone(whole)
        h_crop = self.backbone(crop)
        return self.proj_whole(h_whole), self.proj_crop(h_crop), h_whole

    @torch.no_grad()
    def keys(self, whole: Tensor) -> Tensor:
        return nn.functional.normalize(self.key(whole), dim=1)

    @torch.no_grad()
    def move_key(self, m: float) -> None:
        moving = [*self.backbone.parameters(), *self.proj_whole.parameters()]
        for k, q in zip(self.key.parameters(), moving):
            k.mul_(m).add_(q, alpha=1 - m)
