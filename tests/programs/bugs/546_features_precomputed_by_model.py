"""The training set is passed through the model's encoder once, under no_grad, when the data set is made; the loop then runs model.head on the
features. The encoder is in the optimizer.
Origin: "precomputed embeddings, encoder weights do not change" question; retold."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.encoder(x))


def embed_dataset(model, x, y):
    with torch.no_grad():  # <-- culprit
        z = torch.cat([model.encoder(part) for part in x.split(4)])
    return TensorDataset(z, y)


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = embed_dataset(model, torch.randn(12, 5), torch.randint(0, 3, (12,)))
    return model, optimizer, next(iter(DataLoader(data, batch_size=12)))


def loss_fn(model, batch):
    z, y = batch
    return nn.functional.cross_entropy(model.head(z), y)  # <-- culprit


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


KIND = "loss"
EXPECT = {
    "encoder.0.weight": "unreachable",
    "encoder.0.bias": "unreachable",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
