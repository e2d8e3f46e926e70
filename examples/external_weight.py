"""Fits a line, or tries to: the loss stays where it began, although an optimizer steps in every round."""

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
weight = nn.Parameter(torch.randn(10, 1))
optimizer = torch.optim.SGD([weight], lr=0.05)  # <- the defect

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}")
