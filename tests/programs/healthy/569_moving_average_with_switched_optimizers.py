"""Healthy: Adam for ten steps, then SGD with momentum whose buffers are filled by hand; only the matrices get weight decay, by hooks on the
gradient."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
    for p in model.parameters():
        if p.ndim > 1:
            p.register_hook(lambda g, p=p: g + 1e-2 * p.detach())
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(16, 5), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)


def train(steps=14, switch=10):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        if step == switch:
            adam, optimizer = optimizer, torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
            for p in model.parameters():
                optimizer.state[p]["momentum_buffer"] = adam.state[p]["exp_avg"].clone()
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
