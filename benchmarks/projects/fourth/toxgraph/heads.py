import torch
from torch import nn

from registry import Registry

HEADS = Registry("head")


@HEADS.add("linear")
class LinearHead(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, 1)

    def forward(self, g: torch.Tensor) -> torch.Tensor:
        return self.fc(g).squeeze(-1)


@HEADS.add("mlp")
class MLPHead(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, g: torch.Tensor) -> torch.Tensor:
        return self.net(g).squeeze(-1)
