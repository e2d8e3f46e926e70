"""The output of an LSTM over packed sequences is read as `packed.data`: that is PackedSequence.data, a plain field with its
history, not Tensor.data.
Origin: token classification without padding."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(12, 4)

    def forward(self, x, lengths):
        packed, _ = self.lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return self.tag(packed.data)


def make():
    torch.manual_seed(0)
    model = Tagger()
    lengths = torch.tensor([3, 6, 2, 5])
    tags = pack_padded_sequence(torch.randint(0, 4, (4, 6)), lengths, batch_first=True, enforce_sorted=False).data
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(4, 6, 5), lengths, tags)


def loss_fn(model, batch):
    x, lengths, tags = batch
    return nn.functional.cross_entropy(model(x, lengths), tags)


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
    "lstm.weight_ih_l0": "trained",
    "lstm.weight_hh_l0": "trained",
    "lstm.bias_ih_l0": "trained",
    "lstm.bias_hh_l0": "trained",
    "lstm.weight_ih_l0_reverse": "trained",
    "lstm.weight_hh_l0_reverse": "trained",
    "lstm.bias_ih_l0_reverse": "trained",
    "lstm.bias_hh_l0_reverse": "trained",
    "tag.weight": "trained",
    "tag.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
