"""Truncated BPTT: the hidden state is detached between chunks, kept across batches. Origin: PyTorch word language model."""
import torch
from torch import nn
import torch.nn.functional as F


class LM(nn.Module):
    def __init__(self, v=10, d=6):
        super().__init__()
        self.emb, self.rnn, self.out = nn.Embedding(v, d), nn.LSTM(d, d, 2, dropout=0.1), nn.Linear(d, v)

    def forward(self, t, h=None):
        y, h = self.rnn(self.emb(t), h)
        return self.out(y), h


def make():
    torch.manual_seed(0)
    model = LM()
    return model, torch.optim.SGD(model.parameters(), lr=0.5), torch.randint(0, 10, (16, 3))


def loss_fn(model, t):
    return F.cross_entropy(model(t[:-1])[0].flatten(0, 1), t[1:].flatten())


def train(chunk=4):
    model, optimizer, t = make()
    h, losses = None, []
    for i in range(0, len(t) - 1, chunk):
        x, y = t[i:i + chunk][: len(t) - 1 - i], t[i + 1:i + 1 + chunk]
        if h is not None:
            h = tuple(s.detach() for s in h)
        optimizer.zero_grad()
        logits, h = model(x, h)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
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
    "rnn.weight_ih_l1": "trained",
    "rnn.weight_hh_l1": "trained",
    "rnn.bias_ih_l1": "trained",
    "rnn.bias_hh_l1": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
