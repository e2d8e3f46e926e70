"""Old-style network: sigmoids, weights drawn from a wide normal, and pixels from 0 to 255. Every unit of the first layer sits at
exactly 0 or 1 in float32.
Origin: "my network with sigmoid does not learn" threads (unnormalised inputs); retold."""
import torch
from torch import nn


class OldNet(nn.Module):
    def __init__(self, pixels=16, hidden=6, classes=3):
        super().__init__()
        self.hidden = nn.Linear(pixels, hidden)
        self.output = nn.Linear(hidden, classes)
        nn.init.normal_(self.hidden.weight, mean=0.4, std=0.1)
        nn.init.zeros_(self.hidden.bias)

    def forward(self, x):
        h = torch.sigmoid(self.hidden(x))  # <-- culprit
        return self.output(h)


def load_images(n=10):
    images = torch.randint(0, 256, (n, 4, 4), dtype=torch.uint8)
    return images.flatten(1).float()  # <-- culprit


def make():
    torch.manual_seed(0)
    model = OldNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return model, optimizer, (load_images(), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "hidden.weight": "blocked",
    "hidden.bias": "blocked",
    "output.weight": "trained",
    "output.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
