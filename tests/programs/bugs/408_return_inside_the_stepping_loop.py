"""`return` is indented one level too deep: after the first optimizer's step the function is left.
Origin: made up after actor-critic code reviews."""
import torch
from torch import nn


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        self.critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    ac = ActorCritic()
    optimizers = [torch.optim.Adam(ac.actor.parameters(), lr=3e-3), torch.optim.Adam(ac.critic.parameters(), lr=1e-2)]
    return ac, optimizers, (torch.randn(16, 4), torch.randint(0, 2, (16,)), torch.randn(16))


def loss_fn(ac, batch):
    states, actions, returns = batch
    value = ac.critic(states).squeeze(-1)
    advantage = (returns - value).detach()
    logp = torch.distributions.Categorical(logits=ac.actor(states)).log_prob(actions)
    return -(logp * advantage).mean() + 0.5 * nn.functional.mse_loss(value, returns)


def update(ac, optimizers, batch):
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss = loss_fn(ac, batch)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
        return loss.item()  # <-- culprit


def train(steps=3):
    ac, optimizers, batch = make()
    return ac, [update(ac, optimizers, batch) for _ in range(steps)]


KIND = "loop"
EXPECT = {f"actor.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {
    f"critic.{n}": "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
