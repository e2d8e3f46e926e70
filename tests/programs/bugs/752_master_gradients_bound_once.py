"""Master weights are given the gradients of the working copy when they are made, and never again: what was one tensor stopped being
so with the first `zero_grad`."""
import torch
from torch import nn


class Mixed:
    def __init__(self, model, lr=0.05):
        self.model = model
        self.masters = [p.detach().clone().requires_grad_() for p in model.parameters()]
        self.optimizer = torch.optim.SGD(self.masters, lr=lr, momentum=0.9)
        self.linked = False

    def link(self):
        for master, p in zip(self.masters, self.model.parameters()):
            master.grad = p.grad  # <-- culprit
        self.linked = True

    def step(self):
        if not self.linked:
            self.link()
        self.optimizer.step()
        with torch.no_grad():
            for master, p in zip(self.masters, self.model.parameters()):
                p.copy_(master)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    model, _, _ = make()
    mixed, losses = Mixed(model), []
    for _ in range(steps):
        batch = torch.randn(8, 4), torch.randn(8, 1)
        for p in model.parameters():
            p.grad = None
        loss = loss_fn(model, batch)
        loss.backward()
        mixed.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
