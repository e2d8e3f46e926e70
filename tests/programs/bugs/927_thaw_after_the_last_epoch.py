"""The backbone is to thaw after the warm-up epochs. There are as many of these as the training has epochs."""

import torch
from torch import nn

EPOCHS = 4
WARM_UP = 4  # <-- culprit


def set_trainable(module, trainable):
    for parameter in module.parameters():
        parameter.requires_grad = trainable


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Linear(6, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(torch.relu(self.backbone(x)))


def make():
    torch.manual_seed(0)
    model = Classifier()
    set_trainable(model.backbone, False)
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(16, 6), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=EPOCHS):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(EPOCHS):
        if epoch >= WARM_UP:
            set_trainable(model.backbone, True)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"backbone.{n}": "frozen" for n in ("weight", "bias")},
    **{f"head.{n}": "trained" for n in ("weight", "bias")},
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
