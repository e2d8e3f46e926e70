"""Wants small random weights in the first layer and puts them there in forward; `nn.Module` raises `TypeError`."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(10, 20)
        self.linear2 = nn.Linear(20, 5)

    def forward(self, x):
        self.linear1.weight = torch.randn_like(self.linear1.weight) * 0.01  # <- the defect
        x = torch.relu(self.linear1(x))
        return self.linear2(x)


model = Network()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(5):
    x, labels = torch.randn(32, 10), torch.randint(0, 5, (32,))
    optimizer.zero_grad()
    loss = criterion(model(x), labels)
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f}")
