"""The logarithm of a negative margin is NaN; nan_to_num "repairs" it, and with it goes the gradient: both towers stand still, only the
bias of the loss learns.
Origin: "loss was nan so I used torch.nan_to_num" questions; retold."""
import torch
from torch import nn


class Towers(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.user, self.item = nn.Linear(d, 6), nn.Linear(d, 6)
        self.offset = nn.Parameter(torch.zeros(1))

    def forward(self, u, i):
        similarity = torch.cosine_similarity(self.user(u), self.item(i), dim=-1)
        return torch.log(similarity - 2.0).nan_to_num(0.0) + self.offset  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Towers()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 4), torch.rand(8))


def loss_fn(model, batch):
    u, i, y = batch
    return nn.functional.mse_loss(model(u, i), y)


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
    "user.weight": "blocked",
    "user.bias": "blocked",
    "item.weight": "blocked",
    "item.bias": "blocked",
    "offset": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
