"""The whole model in bfloat16, plain SGD at 1e-6: every update is below half a unit in the last place.
Origin: made up after pure-bf16 training reports."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.gain = nn.Parameter(torch.ones(6) * 2)

    def forward(self, x):
        return (torch.tanh(x * self.scale) * self.gain).sum(1)


def make():
    torch.manual_seed(0)
    model = Net().to(torch.bfloat16)  # <-- culprit
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)  # <-- culprit
    return model, optimizer, (torch.randn(8, 6, dtype=torch.bfloat16), torch.randn(8, dtype=torch.bfloat16))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {"scale": "blocked", "gain": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
