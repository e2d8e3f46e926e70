"""PPO's inner epochs stop early when the policy has moved too far. The comparison is inverted: it stops before the first step.
Origin: made up after Spinning Up's target_kl."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    policy = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    return policy, torch.optim.Adam(policy.parameters(), lr=3e-3), (torch.randn(16, 4), torch.randint(0, 3, (16,)), torch.randn(16))


def log_prob(policy, batch):
    return torch.distributions.Categorical(logits=policy(batch[0])).log_prob(batch[1])


def loss_fn(policy, batch):
    logp = log_prob(policy, batch)
    ratio = (logp - logp.detach()).exp()
    return -torch.min(ratio * batch[2], ratio.clamp(0.8, 1.2) * batch[2]).mean()


def train(steps=3, inner=4, target_kl=0.01):
    policy, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        with torch.no_grad():
            old = log_prob(policy, batch)
        for _ in range(inner):
            logp = log_prob(policy, batch)
            ratio = (logp - old).exp()
            loss = -torch.min(ratio * batch[2], ratio.clamp(0.8, 1.2) * batch[2]).mean()
            approx_kl = (old - logp).mean().item()
            optimizer.zero_grad()
            loss.backward()
            if approx_kl < 1.5 * target_kl:  # <-- culprit
                break
            optimizer.step()
        losses.append(loss.item())
    return policy, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
