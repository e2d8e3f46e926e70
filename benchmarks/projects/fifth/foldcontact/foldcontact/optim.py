from torch import nn
from torch.optim import AdamW

from foldcontact.layers import RelativeOffset


class WithDecayGroups:
    """Mixin: weight decay for matrices, none for biases, norms and tables."""

    decayed = (nn.Linear,)
    undecayed = (nn.LayerNorm, nn.Embedding, RelativeOffset)

    def make_optimizer(self, lr, weight_decay):
        matrices, rest = [], []
        for module in self.modules():
            for name, p in module.named_parameters(recurse=False):
                if isinstance(module, self.decayed) and name == "weight":
                    matrices.append(p)
                elif isinstance(module, self.undecayed) or name == "bias":
                    rest.append(p)
        return AdamW([{"params": matrices, "weight_decay": weight_decay},
                      {"params": rest, "weight_decay": 0.0}], lr=lr)
