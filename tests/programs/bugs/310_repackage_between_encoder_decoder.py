"""Seq2seq: the helper of the word language model example, meant for the border between two batches, is called on the
encoder's final state as well. The encoder never learns.
Origin: pytorch/examples word_language_model `repackage_hidden`, misused in seq2seq questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def repackage_hidden(h):
    """Wraps hidden states in new Tensors, to detach them from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


class Seq2Seq(nn.Module):
    def __init__(self, src=15, tgt=12, d=8):
        super().__init__()
        self.src_emb = nn.Embedding(src, d)
        self.tgt_emb = nn.Embedding(tgt, d)
        self.encoder = nn.LSTM(d, d, batch_first=True)
        self.decoder = nn.LSTM(d, d, batch_first=True)
        self.out = nn.Linear(d, tgt)

    def forward(self, src, tgt_in):
        _, state = self.encoder(self.src_emb(src))
        state = repackage_hidden(state)  # <-- culprit
        h, _ = self.decoder(self.tgt_emb(tgt_in), state)
        return self.out(h)


def make():
    torch.manual_seed(0)
    model = Seq2Seq()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randint(0, 15, (4, 6)), torch.randint(0, 12, (4, 5)))


def loss_fn(model, batch):
    src, tgt = batch
    logits = model(src, tgt[:, :-1])
    return F.cross_entropy(logits.reshape(-1, 12), tgt[:, 1:].reshape(-1))


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "src_emb.weight": "unreachable",
    "tgt_emb.weight": "trained",
    "encoder.weight_ih_l0": "unreachable",
    "encoder.weight_hh_l0": "unreachable",
    "encoder.bias_ih_l0": "unreachable",
    "encoder.bias_hh_l0": "unreachable",
    "decoder.weight_ih_l0": "trained",
    "decoder.weight_hh_l0": "trained",
    "decoder.bias_ih_l0": "trained",
    "decoder.bias_hh_l0": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
