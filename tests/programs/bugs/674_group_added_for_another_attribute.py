"""An optional part gets a group of its own, if the model has it. The attribute is asked for under an older name.
Origin: made up after trainers that support several models."""
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, 6), nn.ReLU())
        self.projector = nn.Linear(6, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.projector(self.encoder(x))))


class Trainer:
    def __init__(self, model, lr=1e-2):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.encoder.parameters(), lr=lr)
        self.optimizer.add_param_group({"params": model.head.parameters(), "lr": lr * 10})
        if hasattr(model, "projection"):  # <-- culprit
            self.optimizer.add_param_group({"params": model.projection.parameters(), "lr": lr * 10})

    def step(self, batch):
        self.optimizer.zero_grad()
        loss = loss_fn(self.model, batch)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def make():
    torch.manual_seed(0)
    trainer = Trainer(Model())
    return trainer.model, trainer.optimizer, (torch.randn(9, 5), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    torch.manual_seed(0)
    trainer = Trainer(Model())
    batch = (torch.randn(9, 5), torch.randint(0, 2, (9,)))
    return trainer.model, [trainer.step(batch) for _ in range(steps)]


KIND = "optimizer"
EXPECT = {
    "encoder.0.weight": "trained",
    "encoder.0.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
    "projector.weight": "excluded",
    "projector.bias": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
