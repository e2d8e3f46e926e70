"""Saved tensors are packed into half precision and unpacked in backward, two blocks are checkpointed, and a hook on several
gradients at once logs their norm. Origin: activation offloading and multi-grad hooks."""
import torch
from torch import nn
from torch.autograd.graph import register_multi_grad_hook, saved_tensors_hooks
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Packed(saved_tensors_hooks):
    def __init__(self):
        super().__init__(self.pack, self.unpack)

    @staticmethod
    def pack(t):
        return (t.dtype, t.bfloat16()) if t.is_floating_point() and not isinstance(t, nn.Parameter) else (None, t)

    @staticmethod
    def unpack(packed):
        dtype, t = packed
        return t if dtype is None else t.to(dtype)


class Deep(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.stem = nn.Linear(4, d)
        self.blocks = nn.Sequential(*(nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.Dropout(0.1)) for _ in range(4)))
        self.neck = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d))
        self.head = nn.Linear(d, 1)

    def forward(self, x):
        x = self.stem(x)
        x = checkpoint_sequential(self.blocks, 2, x, use_reentrant=False)
        x = x + checkpoint(self.neck, x, use_reentrant=True)
        return self.head(x)


def make():
    torch.manual_seed(0)
    model = Deep()
    model.norms = []
    register_multi_grad_hook(
        tuple(model.blocks.parameters()), lambda grads: model.norms.append(sum(g.norm() for g in grads if g is not None).item())
    )
    return model, torch.optim.NAdam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    with Packed():
        return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
LAYERS = ("stem", *(f"blocks.{i}.0" for i in range(4)), "neck.0", "neck.1", "head")
EXPECT = {f"{layer}.{kind}": "trained" for layer in LAYERS for kind in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
