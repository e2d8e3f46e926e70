"""Masked mean pooling. The tokenizer pads with 0, the mask compares with 1 (the pad id of another tokenizer) and with the wrong
sign: no position of the batch survives, the pooled vector is zero.
Origin: attention_mask / pad_token_id mix-ups in Hugging Face forum threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F

PAD = 1


class Pooler(nn.Module):
    def forward(self, states, mask):
        mask = mask.unsqueeze(-1).to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)


class Sentiment(nn.Module):
    def __init__(self, vocab=30, d=8):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.lstm = nn.LSTM(d, d, batch_first=True)
        self.pool = Pooler()
        self.fc = nn.Linear(d, 2)

    def forward(self, ids):
        mask = ids == PAD  # <-- culprit
        states, _ = self.lstm(self.embed(ids))
        return self.fc(self.pool(states, mask))


def make():
    torch.manual_seed(0)
    model = Sentiment()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    ids = torch.randint(2, 30, (5, 8))
    ids[0, 5:] = 0
    ids[3, 6:] = 0
    return model, optimizer, (ids, torch.tensor([0, 1, 1, 0, 1]))


def loss_fn(model, batch):
    ids, y = batch
    return F.cross_entropy(model(ids), y)


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


KIND = "forward"
EXPECT = {
    "embed.weight": "blocked",
    "lstm.weight_ih_l0": "blocked",
    "lstm.weight_hh_l0": "blocked",
    "lstm.bias_ih_l0": "blocked",
    "lstm.bias_hh_l0": "blocked",
    "fc.weight": "blocked",
    "fc.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
