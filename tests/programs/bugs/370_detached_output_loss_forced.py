"""The error "element 0 of tensors does not require grad" was silenced by `loss.requires_grad = True`. The prediction had been
detached for the sake of the metric two lines above.
Origin: stackoverflow, the most copied wrong answer to that error; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Forecaster(nn.Module):
    def __init__(self, window=8, h=10):
        super().__init__()
        self.lstm = nn.LSTM(1, h, batch_first=True)
        self.fc = nn.Linear(h, 1)

    def forward(self, series):
        out, _ = self.lstm(series.unsqueeze(-1))
        return self.fc(out[:, -1]).squeeze(-1)


METRICS = []


def loss_fn(model, batch):
    series, target = batch
    pred = model(series)
    pred = pred.detach()  # <-- culprit
    METRICS.append(float((pred - target).abs().mean()))
    loss = F.mse_loss(pred, target)
    loss.requires_grad = True  # <-- culprit
    return loss


def make():
    torch.manual_seed(0)
    METRICS.clear()
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(6, 8), torch.randn(6))


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
    "lstm.weight_ih_l0": "unreachable",
    "lstm.weight_hh_l0": "unreachable",
    "lstm.bias_ih_l0": "unreachable",
    "lstm.bias_hh_l0": "unreachable",
    "fc.weight": "unreachable",
    "fc.bias": "unreachable",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
