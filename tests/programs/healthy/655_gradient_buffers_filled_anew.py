"""`.grad` is bound once to pieces of one flat buffer, and the buffer is filled anew in every round."""
import torch
from torch import nn


class Flat:
    def __init__(self, model, lr=0.05):
        self.parameters = list(model.parameters())
        self.buffer = torch.zeros(sum(p.numel() for p in self.parameters))
        self.optimizer = torch.optim.SGD(self.parameters, lr=lr)
        start = 0
        for p in self.parameters:
            p.grad = self.buffer[start : start + p.numel()].view_as(p)
            start += p.numel()

    def step(self, loss):
        gradients = torch.autograd.grad(loss, self.parameters)
        self.buffer.copy_(torch.cat([g.flatten() for g in gradients]))
        self.optimizer.step()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    model, _, batch = make()
    flat, losses = Flat(model), []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        flat.step(loss)
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
