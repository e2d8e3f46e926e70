"""Low-rank adapters for the linear layers of an attention."""
import torch
from torch import nn


INITS = {
    "kaiming": lambda w: nn.init.kaiming_uniform_(w, a=5 ** 0.5),
    "normal": lambda w: nn.init.normal_(w, std=0.02),
    "zeros": nn.init.zeros_,
}


class LoRALinear(nn.Module):
    def __init__(self, base, rank, alpha, init_a):
        super().__init__()
        self.base = base
        self.scaling = alpha / rank
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.empty(base.out_features, rank))
        self.merged = False
        INITS[init_a](self.lora_A)
        nn.init.zeros_(self.lora_B)

    def delta(self):
        return self.scaling * self.lora_B @ self.lora_A

    @torch.no_grad()
    def merge(self):
        if not self.merged:
            self.plain = self.base.weight.detach().clone()
            self.base.weight += self.delta()
            self.merged = True

    @torch.no_grad()
    def unmerge(self):
        if self.merged:
            self.base.weight.copy_(self.plain)
            self.merged = False

    def forward(self, x):
        y = self.base(x)
        if self.merged:
            return y
        return y + x @ self.delta().t()


def adapters(model):
    return [m for m in model.modules() if isinstance(m, LoRALinear)]


def inject(model, targets, **kwargs):
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if name in targets and isinstance(child, nn.Linear):
                setattr(module, name, LoRALinear(child, **kwargs))
    return model


def freeze_except(model, keep):
    for name, p in model.named_parameters():
        p.requires_grad_(any(k in name for k in keep))
    return model


def merge_all(model):
    for m in adapters(model):
        m.merge()


def unmerge_all(model):
    for m in adapters(model):
        m.unmerge()
