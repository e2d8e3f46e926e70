"""The scale is pinned with update(new_scale), on a value that overflows: each step is skipped, and no skip lowers it.
Origin: made up after amp recipe questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    return model, torch.optim.SGD(model.parameters(), lr=1e-3), (torch.randn(16, 8), 300 * torch.randn(16, 1))


def loss_fn(model, batch):
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(batch[0])
    return nn.functional.mse_loss(out.float(), batch[1])


class Amp:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 17)  # <-- culprit

    def __call__(self, batch):
        self.optimizer.zero_grad()
        loss = loss_fn(self.model, batch)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)  # <-- culprit
        self.scaler.update(2.0 ** 17)  # <-- culprit
        return loss.item()


def train(steps=3):
    model, optimizer, batch = make()
    amp = Amp(model, optimizer)
    return model, [amp(batch) for _ in range(steps)]


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
