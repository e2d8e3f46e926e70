"""A table gives each part of the model a scale of the learning rate; the embedding's is 0."""

import torch
from torch import nn

BASE_RATE = 1e-2

PARTS = {
    "embedding": {"scale": 0, "decay": 0.0},  # <-- culprit
    "body": {"scale": 0.1, "decay": 0.01},
    "head": {"scale": 1, "decay": 0.01},
}


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 6)
        self.body = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, tokens):
        return self.head(torch.relu(self.body(self.embedding(tokens))))


def param_groups(model):
    groups = []
    for part, options in PARTS.items():
        groups.append(
            {
                "params": list(getattr(model, part).parameters()),
                "lr": BASE_RATE * options["scale"],
                "weight_decay": options["decay"],
            }
        )
    return groups


def make():
    torch.manual_seed(0)
    model = Tagger()
    batch = torch.randint(0, 10, (8, 5)), torch.randint(0, 4, (8, 5))
    return model, torch.optim.AdamW(param_groups(model), lr=BASE_RATE), batch


def loss_fn(model, batch):
    tokens, tags = batch
    return nn.functional.cross_entropy(model(tokens).flatten(0, 1), tags.flatten())


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "embedding.weight": "blocked",
    **{f"{part}.{n}": "trained" for part in ("body", "head") for n in ("weight", "bias")},
}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
