"""Text with or without a picture. The first batch has none, so the picture encoder is not asked.
Origin: multimodal collators; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Mixed(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.text, self.picture, self.out = nn.Embedding(20, d), nn.Linear(9, d), nn.Linear(d, 2)

    def forward(self, batch):
        h = self.text(batch["ids"]).mean(1)
        if batch.get("pixels") is not None:
            h = h + self.picture(batch["pixels"])
        return self.out(torch.tanh(h))


def make():
    torch.manual_seed(0)
    model = Mixed()
    batch = {"ids": torch.randint(0, 20, (6, 5)), "pixels": None, "labels": torch.randint(0, 2, (6,))}
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), batch


def loss_fn(model, batch):
    return F.cross_entropy(model(batch), batch["labels"])


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch if step == 0 else {**batch, "pixels": torch.randn(6, 9)})
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "text.weight": "trained",
    "picture.weight": "trained",
    "picture.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}

if __name__ == "__main__":
    train()
