"""Only what bears one of these names is to train. The adapters of this model are called `adapter`, not `adaptor`."""

import torch
from torch import nn

TRAINED = [
    "norm",
    "adaptor",  # <-- culprit
    "classifier",
]


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.adapter = nn.Sequential(nn.Linear(width, 2), nn.ReLU(), nn.Linear(2, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        hidden = self.dense(x)
        return self.norm(x + hidden + self.adapter(hidden))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer(8) for _ in range(2))
        self.classifier = nn.Linear(8, 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.classifier(x)


def make():
    torch.manual_seed(0)
    model = Model()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = any(part in name for part in TRAINED)
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-2)
    return model, optimizer, (torch.randn(16, 8), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=5):
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
    **{f"layers.{i}.norm.{n}": "trained" for i in range(2) for n in ("weight", "bias")},
    **{f"layers.{i}.dense.{n}": "frozen" for i in range(2) for n in ("weight", "bias")},
    **{f"layers.{i}.adapter.{k}.{n}": "frozen" for i in range(2) for k in (0, 2) for n in ("weight", "bias")},
    **{f"classifier.{n}": "trained" for n in ("weight", "bias")},
}
CAUSE = "other"

if __name__ == "__main__":
    train()
