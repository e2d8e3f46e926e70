"""A library the person uses has switched torch.__future__.set_overwrite_module_params_on_conversion on, so that `.double()` after
the optimizer makes new Parameters.
Origin: made up after "model.cuda() after the optimizer" warnings in the documentation."""
import torch
from torch import nn


class Estimator(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Linear(4, 5)
        self.value = nn.Linear(5, 1)

    def forward(self, x):
        return self.value(torch.tanh(self.features(x)))


def make():
    torch.manual_seed(0)
    model = Estimator()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # <-- culprit
    try:
        model.double()  # <-- culprit
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
    return model, optimizer, (torch.randn(9, 4, dtype=torch.float64), torch.randn(9, 1, dtype=torch.float64))


def loss_fn(model, batch):
    return nn.functional.huber_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {n: "excluded" for n in ("features.weight", "features.bias", "value.weight", "value.bias")} | {"!value.bias": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
