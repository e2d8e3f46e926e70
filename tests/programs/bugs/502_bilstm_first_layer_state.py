"""A two-layer LSTM encodes a sentence; the sentence vector is h_n[0], which is the first layer's last state, not the top one's.
The second layer is computed and never read.
Origin: "which element of h_n is the last layer" answers; retold."""
import torch
from torch import nn


class SentenceEncoder(nn.Module):
    def __init__(self, vocab=30, d=6, h=7):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.rnn = nn.LSTM(d, h, num_layers=2, batch_first=True)
        self.score = nn.Linear(h, 1)

    def forward(self, tokens):
        _, (h_n, c_n) = self.rnn(self.emb(tokens))
        sentence = h_n[0]  # <-- culprit
        return self.score(sentence).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = SentenceEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randint(0, 30, (8, 6)), torch.randint(0, 2, (8,)).float())


def loss_fn(model, batch):
    tokens, label = batch
    return nn.functional.binary_cross_entropy_with_logits(model(tokens), label)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "emb.weight": "trained",
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "rnn.weight_ih_l1": "blocked",
    "rnn.weight_hh_l1": "blocked",
    "rnn.bias_ih_l1": "blocked",
    "rnn.bias_hh_l1": "blocked",
    "score.weight": "trained",
    "score.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
