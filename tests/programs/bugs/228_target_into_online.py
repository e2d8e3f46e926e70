"""Double networks: the hard update copies the target into the online net instead of the other way round.
Origin: made up after DQN implementations."""
import torch
from torch import nn


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.target = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)).requires_grad_(False)
        self.target.load_state_dict(self.online.state_dict())

    def sync(self):
        self.online.load_state_dict(self.target.state_dict())  # <-- culprit


def make():
    torch.manual_seed(0)
    q = Q()
    n = 10
    batch = (torch.randn(n, 3), torch.randint(0, 2, (n, 1)), torch.randn(n), torch.randn(n, 3))
    return q, torch.optim.RMSprop(q.online.parameters(), lr=1e-3), batch


def loss_fn(q, batch):
    s, a, r, s2 = batch
    with torch.no_grad():
        y = r + 0.9 * q.target(s2).max(1).values
    return nn.functional.mse_loss(q.online(s).gather(1, a).squeeze(1), y)


def train(steps=3):
    q, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(q, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        q.sync()
        losses.append(loss.item())
    return q, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("online.0.weight", "online.0.bias", "online.2.weight", "online.2.bias")}
EXPECT.update({n: "frozen" for n in ("target.0.weight", "target.0.bias", "target.2.weight", "target.2.bias")})
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
