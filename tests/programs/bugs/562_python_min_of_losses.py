"""The better of two decoders is to be trained, "and the other a little"; Python's min() takes one loss and forgets the other, which is the
worse one at every step.
Origin: "min of two losses" question; retold."""
import torch
from torch import nn


class TwoDecoders(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(6, 4)
        self.a, self.b = nn.Linear(4, 6), nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        nn.init.constant_(self.b[0].bias, 4.0)

    def forward(self, x):
        z = torch.tanh(self.enc(x))
        return self.a(z), self.b(z)


def make():
    torch.manual_seed(0)
    model = TwoDecoders()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(10, 6)


def loss_fn(model, x):
    first, second = ((out - x).pow(2).mean() for out in model(x))
    return min(first, second)  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "a.weight": "trained",
    "a.bias": "trained",
    "b.0.weight": "unreachable",
    "b.0.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
