"""Healthy: LoRA whose update is merged into the frozen weight for each evaluation and taken out again. NEEDS_LOOP"""
import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, d_in, d_out, rank=2):
        super().__init__()
        self.base = nn.Linear(d_in, d_out)
        self.base.requires_grad_(False)
        self.a = nn.Parameter(torch.randn(rank, d_in) * 0.1)
        self.b = nn.Parameter(torch.zeros(d_out, rank))
        self.merged = False

    @torch.no_grad()
    def merge(self, flag):
        if flag != self.merged:
            self.base.weight.data += (1 if flag else -1) * self.b @ self.a
            self.merged = flag

    def forward(self, x):
        return self.base(x) if self.merged else self.base(x) + x @ self.a.t() @ self.b.t()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(LoRALinear(5, 8), nn.GELU(), LoRALinear(8, 3))
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.AdamW(trainable, lr=1e-2), (torch.randn(8, 5), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


@torch.no_grad()
def evaluate(model, batch):
    layers = [m for m in model if isinstance(m, LoRALinear)]
    for layer in layers:
        layer.merge(True)
    loss = loss_fn(model, batch).item()
    for layer in layers:
        layer.merge(False)
    return loss


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(evaluate(model, batch))
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 2) for n in "ab"} | {f"{i}.base.weight": "frozen" for i in (0, 2)} | {
    f"{i}.base.bias": "frozen" for i in (0, 2)}
CAUSE = "healthy"
INTENT = {"*base*": "frozen backbone"}

if __name__ == "__main__":
    train()
