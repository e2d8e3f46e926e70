"""Word vectors are loaded with Embedding.from_pretrained, to be fine-tuned. Its freeze argument is True unless one says otherwise.
Origin: stackoverflow "embedding layer from_pretrained does not update"; retold."""
import torch
from torch import nn


class Sentiment(nn.Module):
    def __init__(self, vectors, classes=2):
        super().__init__()
        self.emb = nn.Embedding.from_pretrained(vectors, padding_idx=0)  # <-- culprit
        self.conv = nn.Conv1d(vectors.shape[1], 6, 3, padding=1)
        self.fc = nn.Linear(6, classes)

    def forward(self, ids):
        return self.fc(torch.relu(self.conv(self.emb(ids).transpose(1, 2))).amax(-1))


def make():
    torch.manual_seed(0)
    model = Sentiment(torch.randn(20, 5))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randint(1, 20, (7, 6)), torch.randint(0, 2, (7,)))


def loss_fn(model, batch):
    ids, y = batch
    return nn.functional.cross_entropy(model(ids), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "registration"
EXPECT = {
    "emb.weight": "frozen",
    "conv.weight": "trained",
    "conv.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
