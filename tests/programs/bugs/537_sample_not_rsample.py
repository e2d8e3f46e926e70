"""A stochastic encoder draws its code with dist.sample(). That is torch.no_grad inside; rsample was meant.
Origin: "Normal.sample vs rsample, encoder has no grad" on discuss.pytorch.org; retold."""
import torch
from torch import nn
from torch.distributions import Independent, Normal


class NoisyCoder(nn.Module):
    def __init__(self, d=6, z=2):
        super().__init__()
        self.mu, self.log_std = nn.Linear(d, z), nn.Linear(d, z)
        self.decode = nn.Sequential(nn.Linear(z, 8), nn.ReLU(), nn.Linear(8, d))

    def forward(self, x):
        dist = Independent(Normal(self.mu(x), self.log_std(x).clamp(-3, 1).exp()), 1)
        z = dist.sample()  # <-- culprit
        return self.decode(z)


def make():
    torch.manual_seed(0)
    model = NoisyCoder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.randn(12, 6)


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "mu.weight": "unreachable",
    "mu.bias": "unreachable",
    "log_std.weight": "unreachable",
    "log_std.bias": "unreachable",
    "decode.0.weight": "trained",
    "decode.0.bias": "trained",
    "decode.2.weight": "trained",
    "decode.2.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
