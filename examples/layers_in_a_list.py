"""Trains, but worse than it should: only the last layer learns, the hidden ones keep their first values."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = [nn.Linear(10, 16), nn.Linear(16, 16)]  # <- the defect
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.head(x)


x = torch.randn(64, 10)
y = x.sum(dim=1, keepdim=True)

model = Network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}")
