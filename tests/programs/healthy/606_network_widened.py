"""Net2Net: halfway the hidden layer is replaced by a wider one that computes the same, and a new optimizer is built.
Origin: Chen et al. 2016. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(16, 4), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


@torch.no_grad()
def widen(model, width):
    lower, upper = model[0], model[2]
    index = torch.cat([torch.arange(lower.out_features), torch.randint(lower.out_features, (width - lower.out_features,))])
    counts = torch.bincount(index, minlength=lower.out_features).float()
    new_lower, new_upper = nn.Linear(lower.in_features, width), nn.Linear(width, upper.out_features)
    new_lower.weight.copy_(lower.weight[index])
    new_lower.bias.copy_(lower.bias[index])
    new_upper.weight.copy_(upper.weight[:, index] / counts[index])
    new_upper.bias.copy_(upper.bias)
    model[0], model[2] = new_lower, new_upper


def train(epochs=2, steps=5):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(epochs):
        if epoch:
            widen(model, 10)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"0.weight": "trained", "0.bias": "trained", "2.weight": "trained", "2.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
