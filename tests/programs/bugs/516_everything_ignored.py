"""Prompt tokens are to be ignored by the loss. The mask of the prompt was built with the wrong sign, so that every answer token
gets -100 and the prompt, too, by the second line. The mean over nothing is NaN; a guard puts it to zero.
Origin: instruction-tuning issues, "loss is nan/0 because all labels are -100"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TinyLM(nn.Module):
    def __init__(self, vocab=16, d=8):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.lm_head = nn.Linear(d, vocab, bias=False)

    def forward(self, ids):
        return self.lm_head(self.rnn(self.wte(ids))[0])


def build_labels(ids, prompt_length):
    position = torch.arange(ids.shape[1]).expand_as(ids)
    labels = ids.clone()
    labels[position >= prompt_length] = -100  # <-- culprit
    labels[position < prompt_length] = -100
    return labels


def make():
    torch.manual_seed(0)
    model = TinyLM()
    ids = torch.randint(0, 16, (4, 7))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (ids, build_labels(ids, 3))


def loss_fn(model, batch):
    ids, labels = batch
    logits = model(ids)[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")  # <-- culprit


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


KIND = "loss"
EXPECT = {
    "wte.weight": "blocked",
    "rnn.weight_ih_l0": "blocked",
    "rnn.weight_hh_l0": "blocked",
    "rnn.bias_ih_l0": "blocked",
    "rnn.bias_hh_l0": "blocked",
    "lm_head.weight": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
