"""model.zero_grad() after the clipping, right before the step, inside a helper.
Origin: made up after zero_grad placement questions."""
import torch
from torch import nn


class LM(nn.Module):
    def __init__(self, v=15, d=8):
        super().__init__()
        self.emb = nn.Embedding(v, d)
        self.rnn = nn.LSTM(d, d, batch_first=True)
        self.head = nn.Linear(d, v)

    def forward(self, t):
        return self.head(self.rnn(self.emb(t))[0])


def make():
    torch.manual_seed(0)
    model = LM()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return model, optimizer, torch.randint(0, 15, (4, 9))


def loss_fn(model, tokens):
    return nn.functional.cross_entropy(model(tokens[:, :-1]).transpose(1, 2), tokens[:, 1:])


def apply_gradients(model, optimizer, max_norm):
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    model.zero_grad()  # <-- culprit
    optimizer.step()
    return norm


def train(steps=3):
    model, optimizer, tokens = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, tokens)
        loss.backward()
        apply_gradients(model, optimizer, 0.25)
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("emb.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "head.weight", "head.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
