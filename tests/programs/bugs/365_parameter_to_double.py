"""Data in float64, so the free parameter was converted: `nn.Parameter(...).to(torch.float64)` after the module's other layers had
been made with dtype=.
Origin: nn.Parameter(...).cuda() / .double() threads; retold."""
import torch
from torch import nn

DTYPE = torch.float64


class DecayModel(nn.Module):
    def __init__(self, d=3):
        super().__init__()
        self.rate = nn.Parameter(torch.rand(d)).to(DTYPE)  # <-- culprit
        self.mix = nn.Linear(d, 1, dtype=DTYPE)

    def forward(self, t):
        basis = torch.exp(-torch.abs(self.rate) * t.unsqueeze(-1))
        return self.mix(basis).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = DecayModel()
    t = torch.linspace(0, 3, 20, dtype=DTYPE)
    y = 2 * torch.exp(-0.5 * t) + torch.exp(-2 * t)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    return model, optimizer, (t, y)


def loss_fn(model, batch):
    t, y = batch
    return torch.sum((model(t) - y) ** 2) / len(t)


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
    "mix.weight": "trained",
    "mix.bias": "trained",
    "?rate": "unregistered",
}
CAUSE = "non_leaf"

if __name__ == "__main__":
    train()
