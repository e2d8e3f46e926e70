"""Adversarial weight perturbation: the backup of the weights is put back behind the optimizer's step instead of before it.
Origin: made up after AWP code in competition notebooks."""
import torch
from torch import nn


class AWP:
    def __init__(self, model, eps=1e-2):
        self.model, self.eps, self.backup = model, eps, {}

    @torch.no_grad()
    def perturb(self):
        for name, p in self.model.named_parameters():
            self.backup[name] = p.data.clone()
            p.add_(self.eps * p.norm() * torch.sign(p.grad))

    @torch.no_grad()
    def restore(self):
        for name, p in self.model.named_parameters():
            p.data.copy_(self.backup[name])  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    awp = AWP(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        awp.perturb()
        optimizer.zero_grad()
        loss_fn(model, batch).backward()
        optimizer.step()
        awp.restore()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
