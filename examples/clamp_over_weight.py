"""Wants the first layer's weights clipped and does it in forward; `nn.Module` raises `TypeError`."""

import torch
from torch import nn

torch.manual_seed(0)


class ClippedNetwork(nn.Module):
    def __init__(self, clip=0.2):
        super().__init__()
        self.linear1 = nn.Linear(10, 20)
        self.linear2 = nn.Linear(20, 5)
        self.clip = clip

    def forward(self, x):
        self.linear1.weight = torch.clamp(self.linear1.weight, -self.clip, self.clip)  # <- the defect
        x = torch.relu(self.linear1(x))
        return self.linear2(x)


model = ClippedNetwork()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(5):
    x, labels = torch.randn(32, 10), torch.randint(0, 5, (32,))
    optimizer.zero_grad()
    loss = criterion(model(x), labels)
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f}")
