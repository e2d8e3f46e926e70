"""A sentiment classifier written for batch_first takes output[:, -1]; here the time is the first axis, and somebody turned it into output[0]. The
state before the first word is zero, so the recurrent matrix is never used.
Origin: "LSTM weight_hh grad is zero" question; retold."""
import torch
from torch import nn


class Sentiment(nn.Module):
    def __init__(self, vocab=20, d=6):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.lstm = nn.LSTM(d, d)
        self.fc = nn.Linear(d, 2)

    def forward(self, words):
        output, _ = self.lstm(self.embed(words))
        last = output[0]  # <-- culprit
        return self.fc(last)


def make():
    torch.manual_seed(0)
    model = Sentiment()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randint(0, 20, (7, 9)), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    words, y = batch
    return nn.functional.cross_entropy(model(words), y)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "forward"
EXPECT = {
    "embed.weight": "trained",
    "lstm.weight_ih_l0": "trained",
    "lstm.weight_hh_l0": "blocked",
    "lstm.bias_ih_l0": "trained",
    "lstm.bias_hh_l0": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
