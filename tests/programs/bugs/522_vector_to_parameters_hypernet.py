"""A hypernetwork makes the weights of a small policy; vector_to_parameters puts them in. That writes through .data: the hypernetwork
is cut off, and the policy's own parameters are overwritten before each pass.
Origin: "vector_to_parameters breaks the graph" issue; retold."""
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters


class HyperPolicy(nn.Module):
    def __init__(self, task=3, obs=4, act=2):
        super().__init__()
        self.policy = nn.Linear(obs, act)
        self.hyper = nn.Sequential(nn.Linear(task, 8), nn.ReLU(), nn.Linear(8, obs * act + act))
        self.gain = nn.Parameter(torch.ones(act))

    def forward(self, task, obs):
        weights = self.hyper(task)
        vector_to_parameters(weights, self.policy.parameters())  # <-- culprit
        return self.policy(obs) * self.gain


def make():
    torch.manual_seed(0)
    model = HyperPolicy()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(3), torch.randn(9, 4), torch.randn(9, 2))


def loss_fn(model, batch):
    task, obs, act = batch
    return (model(task, obs) - act).pow(2).mean()


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
    "policy.weight": "replaced",
    "policy.bias": "replaced",
    "hyper.0.weight": "unreachable",
    "hyper.0.bias": "unreachable",
    "hyper.2.weight": "unreachable",
    "hyper.2.bias": "unreachable",
    "gain": "trained",
}
CAUSE = "data_access"

if __name__ == "__main__":
    train()
