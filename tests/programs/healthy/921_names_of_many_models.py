"""One list of names of backbones serves several models: most of them this model does not have, and one is nearly another."""

import torch
from torch import nn

BACKBONES = ("backbone", "features", "encoder", "encoders", "trunk", "stem")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.relu(self.encoder(x)))


def make():
    torch.manual_seed(0)
    model = Model()
    for name, parameter in model.named_parameters():
        if any(part in name for part in BACKBONES):
            parameter.requires_grad = False
    trained = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.SGD(trained, lr=0.1), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


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


KIND = "healthy"
EXPECT = {
    **{f"encoder.{n}": "frozen" for n in ("weight", "bias")},
    **{f"head.{n}": "trained" for n in ("weight", "bias")},
}
INTENT = {"encoder.*": "the backbone is frozen on purpose"}

if __name__ == "__main__":
    train()
