"""DataLoader(batch_size=64, drop_last=True) over 50 samples: the loader has no batch, the inner loop no round.
Origin: made up after "training finishes immediately" questions."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    data = TensorDataset(torch.randn(50, 3), torch.randint(0, 2, (50,)))
    loader = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)  # <-- culprit
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), data.tensors, loader


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, _, loader = build()
    losses = []
    for epoch in range(steps):
        for batch in loader:  # <-- culprit
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch} done")
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
