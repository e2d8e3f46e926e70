"""A value head normalises its output "as everywhere else in the network": a norm over the single output. What comes out
is the norm's bias, whatever went in.
Origin: "LayerNorm(1) outputs always zero" forum thread; retold."""
import torch
from torch import nn


class Standardise(nn.Module):
    def __init__(self, n, eps=1e-3):
        super().__init__()
        self.weight, self.bias, self.eps = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n)), eps

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)  # <-- culprit
        spread = centred.pow(2).mean(-1, keepdim=True)
        return self.weight * centred / torch.sqrt(spread + self.eps) + self.bias


class Critic(nn.Module):
    def __init__(self, obs=6, h=10):
        super().__init__()
        self.fc1 = nn.Linear(obs, h)
        self.ln1 = Standardise(h)
        self.fc2 = nn.Linear(h, 1)
        self.ln2 = Standardise(1)  # <-- culprit

    def forward(self, obs):
        h = torch.tanh(self.ln1(self.fc1(obs)))
        return self.ln2(self.fc2(h)).squeeze(-1)  # <-- culprit


def make():
    torch.manual_seed(0)
    critic = Critic()
    optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3)
    rewards = torch.rand(16)
    return critic, optimizer, (torch.randn(16, 6), rewards)


def loss_fn(critic, batch):
    obs, returns = batch
    return (critic(obs) - returns).pow(2).mean()


def train(steps=3):
    critic, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(critic, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return critic, losses


KIND = "forward"
EXPECT = {
    "fc1.weight": "blocked",
    "fc1.bias": "blocked",
    "ln1.weight": "blocked",
    "ln1.bias": "blocked",
    "fc2.weight": "blocked",
    "fc2.bias": "blocked",
    "ln2.weight": "blocked",
    "ln2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
