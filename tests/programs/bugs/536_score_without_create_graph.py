"""Denoising score matching with an energy network: the score is the gradient of the energy, taken without create_graph, so it is a constant
as far as the loss is concerned. Only the noise level learns.
Origin: "loss of autograd.grad output does not require grad" questions; retold."""
import torch
from torch import nn


class Energy(nn.Module):
    def __init__(self, d=2):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 12), nn.Softplus(), nn.Linear(12, 1, bias=False))
        self.log_sigma = nn.Parameter(torch.zeros(1))

    def score(self, x):
        x = x.detach().requires_grad_()
        energy = self.net(x).sum()
        return -torch.autograd.grad(energy, x)[0]  # <-- culprit


def loss_fn(model, x):
    sigma = model.log_sigma.exp()
    noise = torch.randn_like(x)
    noisy = x + sigma * noise
    return ((model.score(noisy) * sigma + noise) ** 2).sum(-1).mean()


def make():
    torch.manual_seed(0)
    model = Energy()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 2)


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
    "net.0.weight": "unreachable",
    "net.0.bias": "unreachable",
    "net.2.weight": "unreachable",
    "log_sigma": "trained",
}
CAUSE = "other"

if __name__ == "__main__":
    train()
