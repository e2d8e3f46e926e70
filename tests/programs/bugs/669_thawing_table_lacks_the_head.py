"""A table says from which step on each part may train; what is not in the table waits for ever. The head is not in the table.
Origin: made up after staged fine-tuning configs."""
import torch
from torch import nn

TRAIN_FROM = {"embed": 0, "encoder": 2}  # <-- culprit


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.encoder, self.head = nn.Embedding(12, 5), nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, ids):
        return self.head(torch.tanh(self.encoder(self.embed(ids).mean(1))))


def set_trainable(model, step):
    for name, parameter in model.named_parameters():
        start = TRAIN_FROM.get(name.split(".")[0], float("inf"))  # <-- culprit
        parameter.requires_grad = step >= start  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Model()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randint(0, 12, (8, 3)), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=8):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        set_trainable(model, step)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "embed.weight": "trained",
    "encoder.weight": "trained",
    "encoder.bias": "trained",
    "head.weight": "frozen",
    "head.bias": "frozen",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
