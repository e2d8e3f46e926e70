"""The output of a bidirectional GRU is cut to the hidden size, "to fit the next layer": that is the forward half. The backward direction
has no part in the loss.
Origin: "size mismatch with bidirectional=True" answers; retold."""
import torch
from torch import nn


class Labeller(nn.Module):
    def __init__(self, d=4, h=5):
        super().__init__()
        self.h = h
        self.gru = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(h, 3)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.tag(states[..., : self.h])  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Labeller()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(4, 6, 4), torch.randint(0, 3, (4, 6)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x).transpose(1, 2), y)


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
    "gru.weight_ih_l0": "trained",
    "gru.weight_hh_l0": "trained",
    "gru.bias_ih_l0": "trained",
    "gru.bias_hh_l0": "trained",
    "tag.weight": "trained",
    "tag.bias": "trained",
    "gru.weight_ih_l0_reverse": "blocked",
    "gru.weight_hh_l0_reverse": "blocked",
    "gru.bias_ih_l0_reverse": "blocked",
    "gru.bias_hh_l0_reverse": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
