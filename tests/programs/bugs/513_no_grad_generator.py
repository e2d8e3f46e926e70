"""Long documents are encoded window by window in a generator. It bears @torch.no_grad() from the time it was only used for indexing.
Origin: "is torch.no_grad applied to generators" thread; retold."""
import torch
from torch import nn


class LongDocument(nn.Module):
    def __init__(self, d=5, h=6, window=4):
        super().__init__()
        self.window = window
        self.encoder = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Linear(h, h))
        self.mix = nn.Linear(h, h)
        self.out = nn.Linear(h, 3)

    @torch.no_grad()  # <-- culprit
    def windows(self, doc):
        for start in range(0, doc.shape[1], self.window):
            yield self.encoder(doc[:, start : start + self.window]).mean(1)

    def forward(self, doc):
        total = 0
        for piece in self.windows(doc):
            total = total + torch.relu(self.mix(piece))
        return self.out(total)


def make():
    torch.manual_seed(0)
    model = LongDocument()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(5, 12, 5), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    doc, label = batch
    return nn.functional.cross_entropy(model(doc), label)


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


KIND = "forward"
EXPECT = {
    "encoder.0.weight": "unreachable",
    "encoder.0.bias": "unreachable",
    "encoder.2.weight": "unreachable",
    "encoder.2.bias": "unreachable",
    "mix.weight": "trained",
    "mix.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
