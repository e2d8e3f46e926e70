"""Dies with `ValueError: optimizer got an empty parameter list` before the first epoch."""

import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(64, 10)
y = x.sum(dim=1, keepdim=True)

model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD([], lr=0.05)  # <- the defect

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}")
