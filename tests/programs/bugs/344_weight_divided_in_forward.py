"""Spectral normalisation by hand: forward divides the weight by its norm and stores the result in the layer's own slot.
Origin: stackoverflow "TypeError: cannot assign 'torch.FloatTensor' as parameter 'weight'"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SNCritic(nn.Module):
    def __init__(self, d=5, h=9):
        super().__init__()
        self.fc1 = nn.Linear(d, h)
        self.fc2 = nn.Linear(h, 1, bias=False)

    def normalise(self, layer):
        sigma = torch.linalg.matrix_norm(layer.weight, 2)
        layer.weight = layer.weight / sigma  # <-- culprit

    def forward(self, x):
        self.normalise(self.fc1)
        return self.fc2(F.leaky_relu(self.fc1(x), 0.1))


def make():
    torch.manual_seed(0)
    critic = SNCritic()
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=5e-4)
    return critic, optimizer, (torch.randn(16, 5), torch.randn(16, 5) + 1)


def loss_fn(critic, batch):
    fake, real = batch
    return F.relu(1 + critic(fake)).mean() + F.relu(1 - critic(real)).mean()


def train(steps=3):
    critic, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(critic, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return critic, losses


RAISES = "TypeError"
KIND = "forward"
EXPECT = {
    "fc1.weight": "replaced",
    "fc1.bias": "trained",
    "fc2.weight": "trained",
}
CAUSE = "reassigned"

if __name__ == "__main__":
    train()
