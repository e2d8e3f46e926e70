import torch
from torch import nn


class LoRALinear(nn.Module):
    """base(x) + scale * x A B"""

    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.base = base
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(torch.empty(base.in_features, rank))
        self.lora_B = nn.Parameter(torch.empty(rank, base.out_features))
        self.reset()

    def reset(self):
        nn.init.normal_(self.lora_A, std=0.3)
        nn.init.zeros_(self.lora_B)

    @property
    def delta(self):
        return self.scale * (self.lora_A @ self.lora_B)

    def forward(self, x):
        return self.base(x) + x @ self.delta

    def extra_repr(self):
        return f"rank={self.lora_A.shape[1]}, scale={self.scale}"
