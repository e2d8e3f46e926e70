"""One optimizer for each agent, all of them built for agents[0].
Origin: made up after multi-agent actor-critic code."""
import torch
from torch import nn


class Agents(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.agents = nn.ModuleList(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)) for _ in range(n))

    def forward(self, observations):
        return [agent(o) for agent, o in zip(self.agents, observations)]


def make():
    torch.manual_seed(0)
    model = Agents()
    optimizers = [torch.optim.SGD(model.agents[0].parameters(), lr=0.1) for agent in model.agents]  # <-- culprit
    return model, optimizers, (torch.randn(3, 8, 4), torch.randint(0, 2, (3, 8)), torch.randn(3, 8))


def loss_fn(model, batch):
    observations, actions, advantage = batch
    total = 0.0
    for logits, a, adv in zip(model(observations), actions, advantage):
        total = total - (torch.distributions.Categorical(logits=logits).log_prob(a) * adv).mean()
    return total


def train(steps=3):
    model, optimizers, batch = make()
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {f"agents.{i}.{n}": "trained" if i == 0 else "excluded" for i in range(3) for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
