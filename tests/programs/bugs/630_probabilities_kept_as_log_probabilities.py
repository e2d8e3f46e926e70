"""PPO in an environment with penalties only. The buffer keeps probabilities where log probabilities belong, every ratio lies below the clip, and
with negative advantages the clipped side is the smaller one.
Origin: "PPO policy loss has no gradient" question; retold."""
import torch
from torch import nn


class ActorCritic(nn.Module):
    def __init__(self, obs=4, actions=5):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(obs, 8), nn.Tanh(), nn.Linear(8, actions))
        self.value = nn.Sequential(nn.Linear(obs, 8), nn.Tanh(), nn.Linear(8, 1))


@torch.no_grad()
def rollout(agent, n=24):
    obs = torch.randn(n, 4)
    probs = agent.policy(obs).softmax(-1)
    action = torch.multinomial(probs, 1)
    old = probs.gather(1, action)  # <-- culprit
    returns = -torch.rand(n, 1) - 2
    return obs, action, old, returns


def make():
    torch.manual_seed(0)
    agent = ActorCritic()
    return agent, torch.optim.Adam(agent.parameters(), lr=3e-4), rollout(agent)


def loss_fn(agent, batch, clip=0.2):
    obs, action, old, returns = batch
    log_p = agent.policy(obs).log_softmax(-1).gather(1, action)
    value = agent.value(obs)
    advantage = returns - value.detach()
    ratio = (log_p - old).exp()  # <-- culprit
    surrogate = torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
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
EXPECT = {
    "policy.0.weight": "blocked",
    "policy.0.bias": "blocked",
    "policy.2.weight": "blocked",
    "policy.2.bias": "blocked",
    "value.0.weight": "trained",
    "value.0.bias": "trained",
    "value.2.weight": "trained",
    "value.2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
