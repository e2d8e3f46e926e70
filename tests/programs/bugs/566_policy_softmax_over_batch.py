"""REINFORCE on one observation at a time: softmax with dim=0 on a (1, actions) tensor normalises over the batch of one. Every action has
probability one.
Origin: "policy gradient loss is zero / does not learn" question; retold."""
import torch
from torch import nn
from torch.distributions import Categorical


class Policy(nn.Module):
    def __init__(self, obs=4, actions=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(obs, 8), nn.ReLU(), nn.Linear(8, actions))
        self.baseline = nn.Linear(obs, 1)

    def forward(self, obs):
        probs = torch.softmax(self.body(obs.unsqueeze(0)), dim=0)  # <-- culprit
        return Categorical(probs=probs.squeeze(0)), self.baseline(obs).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Policy()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(6, 4), torch.randn(6))


def loss_fn(model, batch):
    total = 0
    for obs, ret in zip(*batch):
        dist, value = model(obs)
        action = dist.sample()
        advantage = (ret - value).detach()
        total = total - dist.log_prob(action) * advantage + (ret - value).pow(2)
    return total / len(batch[0])


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


KIND = "forward"
EXPECT = {
    "body.0.weight": "blocked",
    "body.0.bias": "blocked",
    "body.2.weight": "blocked",
    "body.2.bias": "blocked",
    "baseline.weight": "trained",
    "baseline.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
