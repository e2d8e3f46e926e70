"""PPO's ratio: the "old" log-probabilities are a second name for the new ones, not a detached copy. exp(a - a) is one, and its
gradient cancels to nothing; only the value function learns.
Origin: PPO reimplementation issues, "policy loss is constant"; retold."""
import torch
from torch import nn
from torch.distributions import Categorical


class ActorCritic(nn.Module):
    def __init__(self, obs=4, actions=3, h=8):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(obs, h), nn.Tanh(), nn.Linear(h, actions))
        self.critic = nn.Sequential(nn.Linear(obs, h), nn.Tanh(), nn.Linear(h, 1))

    def evaluate(self, obs, action):
        dist = Categorical(logits=self.actor(obs))
        return dist.log_prob(action), self.critic(obs).squeeze(-1)


def make():
    torch.manual_seed(0)
    net = ActorCritic()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    obs = torch.randn(20, 4)
    return net, optimizer, (obs, torch.randint(0, 3, (20,)), torch.randn(20))


def loss_fn(net, batch, clip=0.2):
    obs, action, returns = batch
    log_prob, value = net.evaluate(obs, action)
    old_log_prob = log_prob  # <-- culprit
    advantage = (returns - value).detach()
    ratio = torch.exp(log_prob - old_log_prob)
    surrogate = torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
    return -surrogate.mean() + 0.5 * (returns - value).pow(2).mean()


def train(steps=3):
    net, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(net, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


KIND = "loss"
EXPECT = {
    "actor.0.weight": "blocked",
    "actor.0.bias": "blocked",
    "actor.2.weight": "blocked",
    "actor.2.bias": "blocked",
    "critic.0.weight": "trained",
    "critic.0.bias": "trained",
    "critic.2.weight": "trained",
    "critic.2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
