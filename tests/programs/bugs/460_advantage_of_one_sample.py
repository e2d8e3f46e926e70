"""Advantages are normalised by their standard deviation, with a batch of one: NaN, in every gradient.
Origin: made up after "policy outputs NaN" questions."""
import torch
from torch import nn


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 6)
        self.logits = nn.Linear(6, 2)

    def forward(self, s):
        return torch.distributions.Categorical(logits=self.logits(torch.tanh(self.body(s))))


def normalise(advantages):
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)  # <-- culprit


def make():
    torch.manual_seed(0)
    policy = Policy()
    return policy, torch.optim.Adam(policy.parameters(), lr=1e-3), (torch.randn(1, 4), torch.tensor([1]), torch.tensor([0.7]))


def loss_fn(policy, batch):
    states, actions, returns = batch
    return -(policy(states).log_prob(actions) * normalise(returns)).mean()


def train(steps=3):
    policy, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(policy, batch)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        if torch.isfinite(norm):
            optimizer.step()
        losses.append(loss.item())
        optimizer.zero_grad()
    return policy, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("body.weight", "body.bias", "logits.weight", "logits.bias")}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
