"""A log-temperature outside the model, in a param group of its own, added later. Origin: contrastive scripts."""
import torch
from torch import nn
import torch.nn.functional as F


TEMPERATURE = None


def make():
    global TEMPERATURE
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    TEMPERATURE = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    optimizer.add_param_group({"params": [TEMPERATURE], "lr": 1e-1, "weight_decay": 0.0})
    return model, optimizer, (torch.randn(8, 6), torch.randn(8, 6))


def loss_fn(model, b):
    za, zb = (F.normalize(model(x), dim=1) for x in b)
    return F.cross_entropy(za @ zb.T * TEMPERATURE.exp(), torch.arange(len(za)))


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        TEMPERATURE.data.clamp_(max=4.6)
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
