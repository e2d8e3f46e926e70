"""After each step the mixing weights are normalised to sum to one - along the axis of length one, which makes each of them one.
Origin: made up after projected-gradient simplex code."""
import torch
from torch import nn


class Mixture(nn.Module):
    def __init__(self, experts=3):
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(4, 2) for _ in range(experts))
        self.mix = nn.Parameter(torch.full((experts, 1), 1.0))

    def forward(self, x):
        return (torch.stack([e(x) for e in self.experts], -1) @ self.mix).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Mixture()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.mix.div_(model.mix.sum(dim=1, keepdim=True))  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"mix": "replaced"} | {f"experts.{i}.{n}": "trained" for i in range(3) for n in ("weight", "bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
