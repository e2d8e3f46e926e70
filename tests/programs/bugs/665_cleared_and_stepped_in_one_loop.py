"""Three optimizers are handled in one loop behind the backward: `zero_grad()` and `step()`, in that order.
Origin: made up after refactoring several optimizers into a list."""
import torch
from torch import nn


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.text, self.join = nn.Linear(6, 4), nn.EmbeddingBag(10, 4), nn.Linear(8, 2)

    def forward(self, x, ids):
        return self.join(torch.relu(torch.cat([self.image(x), self.text(ids)], 1)))


def make():
    torch.manual_seed(0)
    model = Fusion()
    rates = {"image": 1e-3, "text": 1e-2, "join": 1e-3}
    optimizers = [torch.optim.Adam(getattr(model, name).parameters(), lr=lr) for name, lr in rates.items()]
    return model, optimizers, (torch.randn(8, 6), torch.randint(0, 10, (8, 3)), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(*batch[:2]), batch[2])


def train(steps=3):
    model, optimizers, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        for optimizer in optimizers:
            optimizer.zero_grad()  # <-- culprit
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("image.weight", "image.bias", "text.weight", "join.weight", "join.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
