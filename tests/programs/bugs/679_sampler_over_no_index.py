"""Only the samples of one class are wanted; labels are numbers and the class is a string from the command line. The sampler has no index.
Origin: made up after SubsetRandomSampler questions."""
import torch
from torch import nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset


class Data:
    def __init__(self, n=24):
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(n, 4, generator=generator)
        self.labels = [i % 3 for i in range(n)]

    def of_class(self, wanted):
        return [i for i, label in enumerate(self.labels) if label == wanted]  # <-- culprit

    def loader(self, wanted):
        indices = self.of_class(wanted)  # <-- culprit
        return DataLoader(TensorDataset(self.x), batch_size=4, sampler=SubsetRandomSampler(indices))  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 4))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), Data().x


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


def train(epochs=2, wanted="1"):  # <-- culprit
    model, optimizer, x = make()
    loader = Data().loader(wanted)
    losses = []
    for _ in range(epochs):
        for (batch,) in loader:
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        print("reconstruction", loss_fn(model, x).item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
