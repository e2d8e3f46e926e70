"""The length of the sequences is not known beforehand, so the position embedding is made in the first forward. The optimizer has been built by
then.
Origin: a forum thread on parameters created in forward; retold."""
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, vocab=15, d=6):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.pos = None
        self.mix = nn.GRU(d, d, batch_first=True)
        self.out = nn.Linear(d, 2)

    def forward(self, ids):
        x = self.embed(ids)
        if self.pos is None:
            self.pos = nn.Parameter(torch.randn(1, *x.shape[1:]) * 0.02)  # <-- culprit
        return self.out(self.mix(x + self.pos)[0][:, -1])


def make():
    torch.manual_seed(0)
    model = Encoder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randint(0, 15, (6, 5)), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    ids, y = batch
    return nn.functional.cross_entropy(model(ids), y)


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "registration"
EXPECT = {
    "embed.weight": "trained",
    "mix.weight_ih_l0": "trained",
    "mix.weight_hh_l0": "trained",
    "mix.bias_ih_l0": "trained",
    "mix.bias_hh_l0": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "pos": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
