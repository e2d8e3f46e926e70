"""Prompt tuning: a buffer keeps the embedding of the starting text and a Parameter is made from it. Forward puts the buffer
in front of the tokens, the Parameter is never read.
Origin: prompt tuning issues ("soft prompt gradient is None"); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SoftPrompt(nn.Module):
    def __init__(self, start):
        super().__init__()
        self.register_buffer("start", start.clone())
        self.prompt = nn.Parameter(start.clone())

    def forward(self, embedded):
        n = embedded.shape[0]
        front = self.start.unsqueeze(0).expand(n, -1, -1)  # <-- culprit
        return torch.cat([front, embedded], dim=1)


class PromptedLM(nn.Module):
    def __init__(self, vocab=24, d=8, length=3):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.soft = SoftPrompt(self.embed.weight.detach()[:length])
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.unembed = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.soft(self.embed(ids))
        h, _ = self.rnn(x)
        return self.unembed(h[:, -ids.shape[1]:])


def make():
    torch.manual_seed(0)
    model = PromptedLM()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    ids = torch.randint(0, 24, (5, 7))
    return model, optimizer, ids


def loss_fn(model, ids):
    logits = model(ids[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


def train(steps=3):
    model, optimizer, ids = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, ids)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "embed.weight": "trained",
    "soft.prompt": "unreachable",
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "unembed.weight": "trained",
    "unembed.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
