"""The encoder shall be unfrozen when epoch > warm-up epochs, but the warm-up is as long as the training.
Origin: made up after gradual unfreezing scripts."""
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(12, 6)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, t):
        return self.head(torch.relu(self.mix(self.encoder(t))))


def set_trainable(module, flag):
    for p in module.parameters():
        p.requires_grad = flag


def make():
    torch.manual_seed(0)
    model = Tagger()
    set_trainable(model.encoder, False)  # <-- culprit
    set_trainable(model.mix, False)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randint(0, 12, (5, 4)), torch.randint(0, 3, (5, 4)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten())


def train(steps=3, warmup=3):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        if epoch >= warmup:  # <-- culprit
            set_trainable(model.encoder, True)
            set_trainable(model.mix, True)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"encoder.weight": "frozen", "mix.weight": "frozen", "mix.bias": "frozen", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
