"""Two networks in a row: a tagger, whose labels are embedded for the parser. The labels are taken by argmax, and the tagger has no
loss of its own, which is in the config but switched off by a falsy value.
Origin: pipelines of networks trained jointly, "first network gets no gradient"; retold."""
import torch
from torch import nn
import torch.nn.functional as F

HPARAMS = {"tag_loss": 0, "lr": 1e-2}


class Tagger(nn.Module):
    def __init__(self, vocab, tags, d):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.out = nn.Linear(d, tags)

    def forward(self, ids):
        return self.out(torch.tanh(self.emb(ids)))


class Pipeline(nn.Module):
    def __init__(self, vocab=15, tags=4, d=6, heads=5):
        super().__init__()
        self.tagger = Tagger(vocab, tags, d)
        self.word = nn.Embedding(vocab, d)
        self.tag = nn.Embedding(tags, d)
        self.arc = nn.Linear(2 * d, heads)

    def forward(self, ids):
        tag_logits = self.tagger(ids)
        tags = tag_logits.argmax(-1)  # <-- culprit
        x = torch.cat([self.word(ids), self.tag(tags)], dim=-1)
        return tag_logits, self.arc(x)


def make():
    torch.manual_seed(0)
    model = Pipeline()
    optimizer = torch.optim.Adam(model.parameters(), lr=HPARAMS["lr"])
    return model, optimizer, (torch.randint(0, 15, (4, 6)), torch.randint(0, 4, (4, 6)), torch.randint(0, 5, (4, 6)))


def loss_fn(model, batch):
    ids, tags, heads = batch
    tag_logits, arc_logits = model(ids)
    loss = F.cross_entropy(arc_logits.flatten(0, 1), heads.flatten())
    if HPARAMS["tag_loss"]:  # <-- culprit
        loss = loss + HPARAMS["tag_loss"] * F.cross_entropy(tag_logits.flatten(0, 1), tags.flatten())
    return loss


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
    "tagger.emb.weight": "unreachable",
    "tagger.out.weight": "unreachable",
    "tagger.out.bias": "unreachable",
    "word.weight": "trained",
    "tag.weight": "trained",
    "arc.weight": "trained",
    "arc.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
