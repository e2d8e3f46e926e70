"""New tokens were added to the vocabulary; a helper like resize_token_embeddings makes a larger table and copies the rows. The
optimizer was there before.
Origin: huggingface resize_token_embeddings issues; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TinyLM(nn.Module):
    def __init__(self, vocab=16, d=8):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.head = nn.Linear(d, vocab + 4)

    def forward(self, ids):
        return self.head(self.rnn(self.wte(ids))[0])

    def resize_token_embeddings(self, n):
        old = self.wte
        new = nn.Embedding(n, old.embedding_dim)
        with torch.no_grad():
            new.weight[: old.num_embeddings] = old.weight
        self.wte = new  # <-- culprit
        return new


def make():
    torch.manual_seed(0)
    model = TinyLM()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.resize_token_embeddings(20)  # <-- culprit
    return model, optimizer, torch.randint(0, 20, (4, 7))


def loss_fn(model, ids):
    logits = model(ids[:, :-1])
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def train(steps=3):
    model, optimizer, ids = make()
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / 2))
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, ids)
        loss.backward()
        optimizer.step()
        warmup.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {
    "wte.weight": "excluded",
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
    "!wte.weight": "stale",
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
