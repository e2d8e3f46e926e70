"""The learning rate comes from a config with a default of 0; the key is spelt another way there.
Origin: made up after yaml-config scripts."""
import torch
from torch import nn

CONFIG = {"learning_rate": 3e-3, "weight_decay": 0.01, "width": 12}


def get(cfg, key, default=0):
    return type(default)(cfg.get(key, default)) if key in cfg else default


def make():
    torch.manual_seed(0)
    w = get(CONFIG, "width", 8)
    model = nn.Sequential(nn.Linear(5, w), nn.ReLU(), nn.Linear(w, 1))
    lr = get(CONFIG, "lr", 0.0)  # <-- culprit
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=get(CONFIG, "weight_decay", 0.0))  # <-- culprit
    return model, optimizer, (torch.randn(8, 5), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
