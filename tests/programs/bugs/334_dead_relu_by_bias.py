"""An initialiser borrowed from a detector (bias = -log((1 - p) / p) for rare classes) was applied to every layer, in a variant
that gives -50. The hidden ReLUs never fire.
Origin: dying ReLU threads; focal-loss bias initialisation; retold."""
import math

import torch
from torch import nn
import torch.nn.functional as F


def rare_event_bias(p=1e-22):
    return -math.log((1 - p) / p)


class RareNet(nn.Module):
    def __init__(self, d=8, h=12):
        super().__init__()
        self.fc1 = nn.Linear(d, h)
        self.fc2 = nn.Linear(h, h)
        self.out = nn.Linear(h, 1)
        self.reset()

    def reset(self):
        for layer in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.constant_(layer.bias, rare_event_bias())  # <-- culprit

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.out(x).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = RareNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(20, 8), (torch.rand(20) < 0.2).float())


def loss_fn(model, batch):
    x, y = batch
    return F.binary_cross_entropy_with_logits(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "registration"
EXPECT = {
    "fc1.weight": "blocked",
    "fc1.bias": "blocked",
    "fc2.weight": "blocked",
    "fc2.bias": "blocked",
    "out.weight": "blocked",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
