"""A three-layer LSTM with dropout=1 between its layers ("on"). The upper layers see zeros; nothing reaches the lower ones.
Origin: "nn.LSTM dropout=True" question; retold."""
import torch
from torch import nn


class Forecast(nn.Module):
    def __init__(self, d=2, h=4):
        super().__init__()
        self.lstm = nn.LSTM(d, h, num_layers=2, dropout=1, batch_first=True)  # <-- culprit
        self.out = nn.Linear(h, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1]).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Forecast()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(7, 5, 2), torch.randn(7))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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


KIND = "forward"
EXPECT = {
    "lstm.weight_ih_l0": "blocked",
    "lstm.weight_hh_l0": "blocked",
    "lstm.bias_ih_l0": "blocked",
    "lstm.bias_hh_l0": "blocked",
    "lstm.weight_ih_l1": "blocked",
    "lstm.weight_hh_l1": "trained",
    "lstm.bias_ih_l1": "trained",
    "lstm.bias_hh_l1": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
