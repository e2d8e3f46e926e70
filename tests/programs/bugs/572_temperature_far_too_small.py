"""A temperature of 1e-6 in the attention of a memory network: the softmax is one-hot to the last bit, and has no slope.
Origin: "low temperature softmax gives zero gradients" question; retold."""
import torch
from torch import nn


class Memory(nn.Module):
    def __init__(self, d=5, slots=7, temperature=1e-6):  # <-- culprit
        super().__init__()
        self.temperature = temperature
        self.query = nn.Linear(4, d)
        self.keys = nn.Parameter(torch.randn(slots, d))
        self.values = nn.Parameter(torch.randn(slots, 3))

    def forward(self, x):
        scores = self.query(x) @ self.keys.T
        return torch.softmax(scores / self.temperature, -1) @ self.values  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Memory()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 4), torch.randint(0, 3, (9,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "query.weight": "blocked",
    "query.bias": "blocked",
    "keys": "blocked",
    "values": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
