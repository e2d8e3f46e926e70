"""An ensemble is trained with vmap: stack_module_state makes new, stacked leaves. The optimizer was built over the members.
Origin: torch.func ensembling tutorial follow-ups, "ensemble loss does not go down"; retold."""
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap


class Ensemble(nn.Module):
    def __init__(self, members=3):
        super().__init__()
        self.members = nn.ModuleList(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)) for _ in range(members))
        stacked, _ = stack_module_state(list(self.members))  # <-- culprit
        self.stacked = stacked
        self.log_noise = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        base = self.members[0]
        predict = vmap(lambda weights, inputs: functional_call(base, weights, (inputs,)), in_dims=(0, None))
        return predict(self.stacked, x).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Ensemble()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)  # <-- culprit
    return model, optimizer, (torch.randn(10, 4), torch.randn(10))


def loss_fn(model, batch):
    x, y = batch
    error = (model(x) - y).pow(2)
    return (error * torch.exp(-model.log_noise) + model.log_noise).mean()


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


KIND = "registration"
EXPECT = {
    "members.0.0.weight": "unreachable",
    "members.0.0.bias": "unreachable",
    "members.0.2.weight": "unreachable",
    "members.0.2.bias": "unreachable",
    "members.1.0.weight": "unreachable",
    "members.1.0.bias": "unreachable",
    "members.1.2.weight": "unreachable",
    "members.1.2.bias": "unreachable",
    "members.2.0.weight": "unreachable",
    "members.2.0.bias": "unreachable",
    "members.2.2.weight": "unreachable",
    "members.2.2.bias": "unreachable",
    "log_noise": "trained",
    "?stacked['0.weight']": "unregistered",
    "?stacked['0.bias']": "unregistered",
    "?stacked['2.weight']": "unregistered",
    "?stacked['2.bias']": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
