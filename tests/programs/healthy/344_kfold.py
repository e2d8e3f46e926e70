"""K-fold: model and optimizer made anew in each fold; the first fold's model is returned. Origin: scikit-learn style loops."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def fit(model, optimizer, b, steps):
    out = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, b)
        loss.backward()
        optimizer.step()
        out.append(loss.item())
    return out


def new(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2)


def train(folds=3, steps=2):
    first, optimizer, (x, y) = make()
    losses = []
    for k in range(folds):
        model, opt = (first, optimizer) if k == 0 else new(k)
        hold = torch.arange(len(x)) % folds == k
        losses += fit(model, opt, (x[~hold], y[~hold]), steps)
        model.eval()
        with torch.no_grad():
            loss_fn(model, (x[hold], y[hold]))
    return first, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
