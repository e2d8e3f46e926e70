"""Keeps the first layer's weights small the right way: clipped in place, after the step. Trains as it should."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(10, 20)
        self.linear2 = nn.Linear(20, 1)

    def forward(self, x):
        return self.linear2(torch.relu(self.linear1(x)))


x = torch.randn(64, 10)
y = x.sum(dim=1, keepdim=True)

model = Network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    model.linear1.weight.data.clamp_(-0.3, 0.3)
    print(f"epoch {epoch}: loss {loss.item():.4f}")
