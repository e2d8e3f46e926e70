"""A transformer learns to sort. The dataset is to hide the targets of the question, and hides those of the answer, too; the
loss ignores what is hidden.
Origin: toy language-model repositories; retold."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class SortDataset(Dataset):
    def __init__(self, length=4, digits=3, size=24):
        self.length, self.digits, self.size = length, digits, size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        question = torch.randint(self.digits, (self.length,))
        both = torch.cat([question, question.sort()[0]])
        x, y = both[:-1].clone(), both[1:].clone()
        y[: self.length * 2 - 1] = -1  # <-- culprit
        return x, y


class Reader(nn.Module):
    def __init__(self, digits=3, d=8, block=7):
        super().__init__()
        self.tok = nn.Embedding(digits, d)
        self.pos = nn.Embedding(block, d)
        self.mix = nn.Linear(d, d)
        self.head = nn.Linear(d, digits, bias=False)

    def forward(self, ids, targets=None):
        h = self.tok(ids) + self.pos(torch.arange(ids.shape[1]))
        h = h + torch.tanh(self.mix(h.cumsum(1)))
        logits = self.head(h)
        if targets is None:
            return logits, None
        counted = (targets >= 0).sum().clamp(min=1)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="sum")
        return logits, loss / counted


def make():
    torch.manual_seed(0)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, next(iter(DataLoader(SortDataset(), batch_size=8)))


def loss_fn(model, batch):
    return model(*batch)[1]


def train(epochs=2):
    model, optimizer, _ = make()
    losses = []
    for _ in range(epochs):
        for batch in DataLoader(SortDataset(), batch_size=8, shuffle=True):
            loss = loss_fn(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "tok.weight": "blocked",
    "pos.weight": "blocked",
    "mix.weight": "blocked",
    "mix.bias": "blocked",
    "head.weight": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
