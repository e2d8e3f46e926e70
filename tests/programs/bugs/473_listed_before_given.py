"""`named_parameters()` is kept in a variable, listed for the log, and then given to the optimizer, which finds nothing in it.
Origin: made up after "optimizer got an empty parameter list" threads."""
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 5)
        self.out = nn.Linear(5, 3)

    def forward(self, t):
        return self.out(self.embed(t))


def make():
    torch.manual_seed(0)
    model = Tagger()
    named = model.named_parameters()
    for name, p in named:  # <-- culprit
        print(f"{name:20} {tuple(p.shape)}")
    optimizer = torch.optim.Adam([p for _, p in named], lr=1e-2)  # <-- culprit
    return model, optimizer, (torch.randint(0, 9, (4, 6)), torch.randint(0, 3, (4, 6)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten())


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
RAISES = "ValueError"
EXPECT = {n: "excluded" for n in ("embed.weight", "out.weight", "out.bias")}
CAUSE = "empty_group"

if __name__ == "__main__":
    train()
