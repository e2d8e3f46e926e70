"""Dies where Adam is made, with `ValueError: optimizer got an empty parameter list`: nothing was collected for it."""

import torch
from torch import nn

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 16)
        self.output = nn.Linear(16, 3)

    def forward(self, x):
        return self.output(torch.tanh(self.hidden(x)))


model = Classifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam([], lr=1e-2)  # <- the defect

for step in range(5):
    images, labels = torch.randn(32, 8), torch.randint(0, 3, (32,))
    optimizer.zero_grad()
    loss = criterion(model(images), labels)
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f}")
