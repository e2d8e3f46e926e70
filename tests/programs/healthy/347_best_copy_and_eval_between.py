"""Evaluation under no_grad between the epochs, best model deep-copied, early stop by patience. Origin: everyday scripts."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(epochs=3):
    model, optimizer, (x, y) = make()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4, shuffle=True, num_workers=0)
    best, best_model, losses = float("inf"), None, []
    for _ in range(epochs):
        model.train()
        for batch in loader:
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            score = sum(loss_fn(model, batch).item() for batch in loader)
        if score < best:
            best, best_model = score, copy.deepcopy(model)
    with torch.no_grad():
        loss_fn(best_model, (x, y))
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
