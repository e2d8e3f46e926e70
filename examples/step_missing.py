"""Runs forward and backward in every epoch and clears the gradients after it; the weights never change."""

import torch
from torch import nn

torch.manual_seed(0)


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(10, 1)

    def forward(self, x):
        return self.linear(x)


x = torch.randn(64, 10)
y = x.sum(dim=1, keepdim=True)

model = Regression()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(5):
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.zero_grad()  # <- the defect
    print(f"epoch {epoch}: loss {loss.item():.4f}")
