"""Packed sequences, padding_idx, bidirectional GRU. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 5, padding_idx=0)
        self.rnn = nn.GRU(5, 4, bidirectional=True, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, t):
        lengths = (t != 0).sum(1)
        packed = pack_padded_sequence(self.emb(t), lengths.tolist(), batch_first=True, enforce_sorted=False)
        y, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.out(y)


def make():
    torch.manual_seed(0)
    model = Tagger()
    t = torch.tensor([[3, 4, 5, 0], [1, 2, 8, 7], [6, 1, 0, 0]])
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (t, torch.where(t > 0, t % 3, torch.tensor(-100)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]).flatten(0, 1), b[1].flatten())


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


KIND = "healthy"
EXPECT = {
    "emb.weight": "trained",
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "rnn.weight_ih_l0_reverse": "trained",
    "rnn.weight_hh_l0_reverse": "trained",
    "rnn.bias_ih_l0_reverse": "trained",
    "rnn.bias_hh_l0_reverse": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
