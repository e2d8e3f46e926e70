"""The step function hands back the loss and the penalty of the gates; the loop binds both and uses one."""

import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 6)
        self.critic = nn.Linear(6, 1)
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return self.out(hidden), self.critic(hidden)


def make():
    torch.manual_seed(0)
    model = Gated()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(16, 6), torch.randint(0, 2, (16,)))


def both_losses(model, batch):
    x, y = batch
    logits, value = model(x)
    penalty = (value.squeeze(-1) - y.float()).square().mean()  # <-- culprit
    return nn.functional.cross_entropy(logits, y), penalty


def loss_fn(model, batch):
    loss, penalty = both_losses(model, batch)  # <-- culprit
    return loss  # <-- culprit


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body", "out") for n in ("weight", "bias")},
    **{f"critic.{n}": "unreachable" for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
