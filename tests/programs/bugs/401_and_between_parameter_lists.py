"""One optimizer for two networks - `a.parameters() and b.parameters()`, which is just the second.
Origin: made up after forum questions on passing two models to one optimizer."""
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 6, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[1][0]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 6)
        self.out = nn.Linear(6, 3)

    def forward(self, h, steps):
        x, ys = torch.zeros(h.size(0), 3), []
        for _ in range(steps):
            h = self.cell(x, h)
            x = self.out(h)
            ys.append(x)
        return torch.stack(ys, 1)


def make():
    torch.manual_seed(0)
    model = nn.ModuleDict({"encoder": Encoder(), "decoder": Decoder()})
    optimizer = torch.optim.Adam(model["encoder"].parameters() and model["decoder"].parameters(), lr=1e-2)  # <-- culprit
    return model, optimizer, torch.randn(5, 4, 3)


def loss_fn(model, x):
    return nn.functional.mse_loss(model["decoder"](model["encoder"](x), x.size(1)), x)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {f"encoder.rnn.{n}_l0": "excluded" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")} | {
    f"decoder.cell.{n}": "trained" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")} | {
    "decoder.out.weight": "trained", "decoder.out.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
