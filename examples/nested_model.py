"""A model made of models, with every parameter in the optimizer. Trains as it should."""

import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.linear = nn.Linear(size, size)

    def forward(self, x):
        return x + torch.tanh(self.linear(self.norm(x)))


class Trunk(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.first = Block(size)
        self.second = Block(size)

    def forward(self, x):
        return self.second(self.first(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk(12)
        self.head = nn.Linear(12, 1)

    def forward(self, x):
        return self.head(self.trunk(x))


x = torch.randn(64, 12)
y = x[:, :1] * x[:, 1:2]

model = Network()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}")
