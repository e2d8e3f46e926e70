"""The parameter generators are kept in a dict to print their sizes first. The groups then get generators that are used up for the
encoder; the head's is made anew in the call.
Origin: made up after "generators can be consumed once" answers on Stack Overflow."""
import torch
from torch import nn


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(7, 9), nn.Tanh(), nn.Linear(9, 5))
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.encoder(x)))


def describe(name, params):
    print(f"{name}: {sum(p.numel() for p in params)} parameters")


def make():
    torch.manual_seed(0)
    model = Captioner()
    encoder_params = model.encoder.parameters()
    describe("encoder", encoder_params)  # <-- culprit
    optimizer = torch.optim.AdamW([
        {"params": encoder_params, "lr": 1e-4},  # <-- culprit
        {"params": model.head.parameters()},
    ], lr=1e-3)
    return model, optimizer, (torch.randn(8, 7), torch.randint(0, 4, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
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
    "encoder.0.weight": "excluded", "encoder.0.bias": "excluded", "encoder.2.weight": "excluded", "encoder.2.bias": "excluded",
    "head.weight": "trained", "head.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
