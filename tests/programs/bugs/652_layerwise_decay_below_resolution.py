"""Layer-wise learning rates: each layer below the head gets a tenth of the one above. Ten layers down nothing is left of the update.
Origin: made up after layer-wise decay with a factor meant for weight decay."""
import torch
from torch import nn


class Deep(nn.Module):
    def __init__(self, d=6, depth=11):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return self.head(x)


def layerwise(model, lr=1e-3, decay=0.1):  # <-- culprit
    depth = len(model.layers)
    groups = [{"params": model.head.parameters(), "lr": lr}]
    for number, layer in enumerate(model.layers):
        rate = lr * decay ** (depth - number)  # <-- culprit
        groups.append({"params": layer.parameters(), "lr": rate})  # <-- culprit
    return groups


def make():
    torch.manual_seed(0)
    model = Deep()
    return model, torch.optim.Adam(layerwise(model)), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {
    "layers.0.weight": "blocked",
    "layers.0.bias": "blocked",
    "layers.1.weight": "blocked",
    "layers.10.weight": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "other"

if __name__ == "__main__":
    train()
