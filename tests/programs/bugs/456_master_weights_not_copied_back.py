"""bfloat16 training with float32 master weights: gradients are copied to the masters and those are stepped, but never copied back.
Origin: made up after apex-style master weight code."""
import torch
from torch import nn


class Masters:
    def __init__(self, model, lr):
        self.model = model
        self.masters = [p.detach().float().clone().requires_grad_(True) for p in model.parameters()]  # <-- culprit
        self.optimizer = torch.optim.SGD(self.masters, lr=lr)  # <-- culprit

    def step(self):
        for m, p in zip(self.masters, self.model.parameters()):
            m.grad = p.grad.float()
            p.grad = None
        self.optimizer.step()  # <-- culprit


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)).to(torch.bfloat16)
    masters = Masters(model, 0.1)
    return model, masters.optimizer, (torch.randn(8, 4, dtype=torch.bfloat16), torch.randint(0, 2, (8,))), masters


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]).float(), batch[1])


def train(steps=3):
    model, _, batch, masters = build()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        masters.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {"!masters": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
