"""A slimmable network: each width has its own batch norms, one step adds up the backwards of the widest, the narrowest and
a random width; the narrow ones learn from the widest. Origin: Yu et al. 2019, the sandwich rule. NEEDS_LOOP"""
import random

import torch
from torch import nn
import torch.nn.functional as F

WIDTHS = (0.25, 0.5, 0.75, 1.0)


class Slim(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.first, self.second = nn.Linear(4, d, bias=False), nn.Linear(d, 3)
        self.norms = nn.ModuleDict({str(int(w * 100)): nn.BatchNorm1d(int(d * w)) for w in WIDTHS})
        self.width = 1.0

    def forward(self, x):
        n = int(self.first.out_features * self.width)
        h = F.linear(x, self.first.weight[:n])
        h = torch.relu(self.norms[str(int(self.width * 100))](h))
        return F.linear(h, self.second.weight[:, :n], self.second.bias)


def make():
    torch.manual_seed(0)
    random.seed(0)
    model = Slim()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(16, 4), torch.randint(0, 3, (16,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=12):
    model, optimizer, (x, y) = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        model.width = 1.0
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        soft = logits.detach().softmax(1)
        for width in (WIDTHS[0], random.choice(WIDTHS[1:-1])):
            model.width = width
            F.cross_entropy(model(x), soft).backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
