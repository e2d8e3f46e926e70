"""Parameters are plain tensors stepped inside the graph, a learned learning rate and initial values are Parameters; the
inner tensors are never leaves. Origin: hypergradient descent by unrolling, warm-started each outer step. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Meta(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_lr = nn.ParameterDict({"w": nn.Parameter(torch.tensor(-3.0)), "b": nn.Parameter(torch.tensor(-3.0))})
        self.init = nn.ParameterDict({"w": nn.Parameter(torch.zeros(3, 2)), "b": nn.Parameter(torch.zeros(2))})


def make():
    torch.manual_seed(0)
    meta = Meta()
    return meta, torch.optim.Adam(meta.parameters(), lr=5e-2), None


def train(steps=4, inner=3):
    meta, optimizer, _ = make()
    losses = []
    for step in range(steps):
        g = torch.Generator().manual_seed(step)
        x, y = torch.randn(16, 3, generator=g), torch.randint(0, 2, (16,), generator=g)
        values = {name: p.clone() for name, p in meta.init.items()}
        for _ in range(inner):
            loss = F.cross_entropy(x[:8] @ values["w"] + values["b"], y[:8])
            grads = torch.autograd.grad(loss, list(values.values()), create_graph=True)
            values = {n: v - meta.log_lr[n].exp() * d for (n, v), d in zip(values.items(), grads)}
        optimizer.zero_grad()
        outer = F.cross_entropy(x[8:] @ values["w"] + values["b"], y[8:])
        outer.backward()
        optimizer.step()
        losses.append(outer.item())
    return meta, losses


KIND = "healthy"
EXPECT = {f"{d}.{n}": "trained" for d in ("log_lr", "init") for n in "wb"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
