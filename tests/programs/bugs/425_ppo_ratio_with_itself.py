"""PPO's ratio is taken between the new log-probabilities and themselves: the "old" ones are computed by the same call. Its
derivative cancels to zero.
Origin: made up after "PPO does not learn" questions."""
import torch
from torch import nn


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.pi = nn.Linear(8, 3)
        self.v = nn.Linear(8, 1)

    def forward(self, s):
        h = torch.tanh(self.body(s))
        return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


def make():
    torch.manual_seed(0)
    policy = Policy()
    return policy, torch.optim.Adam(policy.parameters(), lr=3e-3), (torch.randn(12, 4), torch.randint(0, 3, (12,)), torch.randn(12), torch.randn(12))


def loss_fn(policy, batch):
    states, actions, advantages, returns = batch
    dist, value = policy(states)
    new_logp = dist.log_prob(actions)
    old_logp = new_logp  # <-- culprit
    ratio = torch.exp(new_logp - old_logp)  # <-- culprit
    surrogate = torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    return -surrogate.mean() + 0.5 * (returns - value).square().mean()


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


KIND = "loss"
EXPECT = {"body.weight": "trained", "body.bias": "trained", "v.weight": "trained", "v.bias": "trained", "pi.weight": "blocked", "pi.bias": "blocked"}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
