"""Packed sequences. The lengths count the padding, not the words, and are kept at one or more: every sequence ends after its first word.
Origin: "GRU does not use its history" question; retold."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class Tagger(nn.Module):
    def __init__(self, vocab=20, d=6):
        super().__init__()
        self.embed = nn.Embedding(vocab, d, padding_idx=0)
        self.gru = nn.GRU(d, d, batch_first=True)
        self.out = nn.Linear(d, 2)

    def forward(self, ids):
        lengths = (ids == 0).sum(1).clamp(min=1)  # <-- culprit
        packed = pack_padded_sequence(self.embed(ids), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)
        return self.out(h[-1])


def make():
    torch.manual_seed(0)
    model = Tagger()
    ids = torch.randint(1, 20, (6, 5))
    ids[3, 4] = 0
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (ids, torch.randint(0, 2, (6,)))


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


KIND = "forward"
EXPECT = {
    "embed.weight": "trained",
    "gru.weight_ih_l0": "trained",
    "gru.weight_hh_l0": "blocked",
    "gru.bias_ih_l0": "trained",
    "gru.bias_hh_l0": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
