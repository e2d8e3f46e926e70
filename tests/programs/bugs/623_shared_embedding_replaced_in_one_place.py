"""An encoder-decoder whose three modules share one embedding. Tokens were added, and the larger table was put into `shared` only; the
encoder and the decoder keep the old one.
Origin: a T5 clone, "new tokens do not learn"; retold."""
import torch
from torch import nn


class Stack(nn.Module):
    def __init__(self, embed, d):
        super().__init__()
        self.embed = embed
        self.mix = nn.GRU(d, d, batch_first=True)

    def forward(self, ids, state=None):
        return self.mix(self.embed(ids), state)


class EncoderDecoder(nn.Module):
    def __init__(self, vocab=10, d=6):
        super().__init__()
        self.shared = nn.Embedding(vocab, d)
        self.encoder = Stack(self.shared, d)
        self.decoder = Stack(self.shared, d)
        self.head = nn.Linear(d, vocab)

    def grow(self, more):
        old = self.shared
        self.shared = nn.Embedding(old.num_embeddings + more, old.embedding_dim)  # <-- culprit
        with torch.no_grad():
            self.shared.weight[: old.num_embeddings] = old.weight

    def forward(self, src, tgt):
        _, state = self.encoder(src)
        return self.head(self.decoder(tgt, state)[0])


def make():
    torch.manual_seed(0)
    model = EncoderDecoder()
    model.grow(2)
    batch = (torch.randint(0, 10, (4, 5)), torch.randint(0, 10, (4, 6)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    src, tgt = batch
    return nn.functional.cross_entropy(model(src, tgt[:, :-1]).flatten(0, 1), tgt[:, 1:].flatten())


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "registration"
EXPECT = {
    "shared.weight": "unreachable",
    "encoder.embed.weight": "trained",
    "encoder.mix.weight_ih_l0": "trained",
    "encoder.mix.weight_hh_l0": "trained",
    "encoder.mix.bias_ih_l0": "trained",
    "encoder.mix.bias_hh_l0": "trained",
    "decoder.mix.weight_ih_l0": "trained",
    "decoder.mix.weight_hh_l0": "trained",
    "decoder.mix.bias_ih_l0": "trained",
    "decoder.mix.bias_hh_l0": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
