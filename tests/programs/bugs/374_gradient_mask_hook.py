"""Only the rows of the new tokens are to be trained; a hook multiplies the gradient by a mask. The mask is filled with the
old rows' zeros and never gets its ones (the slice is off the end).
Origin: "freeze some rows of an embedding with register_hook" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TextNet(nn.Module):
    def __init__(self, vocab=20, d=6, classes=3):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.fc = nn.Linear(d, classes)

    def forward(self, ids):
        return self.fc(self.emb(ids).mean(1))


def train_only_new_rows(embedding, first_new):
    mask = torch.zeros(embedding.num_embeddings, 1)  # <-- culprit
    mask[first_new:] = 1.0  # <-- culprit
    embedding.weight.register_hook(lambda grad: grad * mask)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = TextNet()
    train_only_new_rows(model.emb, first_new=20)  # <-- culprit
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return model, optimizer, (torch.randint(0, 20, (6, 5)), torch.randint(0, 3, (6,)))


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


KIND = "optimizer"
EXPECT = {
    "emb.weight": "blocked",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "hook"

if __name__ == "__main__":
    train()
