"""A small network over noisy data, with every parameter in the optimizer. Trains as it should."""

import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(128, 10)
y = torch.sin(x.sum(dim=1, keepdim=True)) + 0.1 * torch.randn(128, 1)

model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}")
