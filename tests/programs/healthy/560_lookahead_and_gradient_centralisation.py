"""Healthy: Lookahead over a hand-written optimizer that centralises gradients; fast weights go back half the way every third step."""
import torch
from torch import nn


class Centralised(torch.optim.Optimizer):
    def __init__(self, params, lr=0.05):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if g.dim() > 1:
                    g = g - g.mean(dim=tuple(range(1, g.dim())), keepdim=True)
                p.add_(g, alpha=-group["lr"])


class Lookahead:
    def __init__(self, base, k=3, alpha=0.5):
        self.base, self.k, self.alpha, self.t = base, k, alpha, 0
        self.slow = [[p.detach().clone() for p in g["params"]] for g in base.param_groups]

    def step(self):
        self.base.step()
        self.t += 1
        if self.t % self.k:
            return
        for group, slow in zip(self.base.param_groups, self.slow):
            for p, q in zip(group["params"], slow):
                q += self.alpha * (p.data - q)
                p.data.copy_(q)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Mish(), nn.Linear(7, 2))
    return model, Centralised(model.parameters()), (torch.randn(12, 5), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=12):
    model, base, batch = make()
    optimizer, losses = Lookahead(base), []
    for _ in range(steps):
        base.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
