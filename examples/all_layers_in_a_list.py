"""Builds its layers in a loop-friendly list; SGD then claims, with a `ValueError`, that the model has no parameters."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(10, 16), nn.Linear(16, 1)]  # <- the defect

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


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
