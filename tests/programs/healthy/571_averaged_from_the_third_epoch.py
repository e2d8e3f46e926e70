"""Healthy: stochastic weight averaging with its own schedule from the third epoch on; batch-norm statistics are made anew for the average."""
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), (torch.randn(24, 5), torch.randint(0, 2, (24,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(epochs=5):
    model, optimizer, (x, y) = make()
    average = AveragedModel(model)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    late = SWALR(optimizer, swa_lr=0.02, anneal_epochs=1)
    losses = []
    for epoch in range(epochs):
        for part in torch.arange(len(x)).chunk(3):
            optimizer.zero_grad()
            loss = loss_fn(model, (x[part], y[part]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch >= 2:
            average.update_parameters(model)
            late.step()
        else:
            cosine.step()
    update_bn([x], average)
    with torch.no_grad():
        average.eval()(x)
    return model, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias")}
INTENT = {"*average*": "", "module.*": "", "*n_averaged*": ""}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
