"""The gradients are collected into a list once and cleared in place ever after: the list has the new ones, too."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


class Descent:
    def __init__(self, model, lr=0.05):
        self.parameters = list(model.parameters())
        self.gradients = None
        self.lr = lr

    @torch.no_grad()
    def update(self):
        if self.gradients is None:
            self.gradients = [p.grad for p in self.parameters]
        for p, g in zip(self.parameters, self.gradients):
            p -= self.lr * g


def train(steps=6):
    model, _, _ = make()
    descent, losses = Descent(model), []
    for _ in range(steps):
        batch = torch.randn(8, 4), torch.randn(8, 1)
        model.zero_grad(set_to_none=False)
        loss = loss_fn(model, batch)
        loss.backward()
        descent.update()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
