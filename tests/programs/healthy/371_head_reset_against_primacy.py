"""The value head is re-initialised every third step on purpose. Origin: primacy bias in deep RL (resets)."""
import torch
from torch import nn
import torch.nn.functional as F


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, s):
        return self.head(torch.relu(self.body(s)))


def make():
    torch.manual_seed(0)
    q = Q()
    return q, torch.optim.Adam(q.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 2))


def loss_fn(q, b):
    return F.mse_loss(q(b[0]), b[1])


def train(steps=7):
    q, optimizer, batch = make()
    losses = []
    for step in range(steps):
        if step and step % 3 == 0:
            q.head.reset_parameters()
            for p in q.head.parameters():
                optimizer.state.pop(p, None)
        optimizer.zero_grad()
        loss = loss_fn(q, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return q, losses


KIND = "healthy"
EXPECT = {
    "body.weight": "trained",
    "body.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
