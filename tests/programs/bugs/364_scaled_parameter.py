"""A small random initial value by `nn.Parameter(...) * 0.02`, and a transposed one by `.t()`: both are plain tensors with a history.
Origin: "can't optimize a non-leaf Tensor" / missing in state_dict threads; retold."""
import torch
from torch import nn


class BilinearAttention(nn.Module):
    def __init__(self, d_q, d_k):
        super().__init__()
        self.W = nn.Parameter(torch.randn(d_q, d_k)) * 0.02  # <-- culprit
        self.U = nn.Parameter(torch.randn(d_k, d_q) * 0.1).t()  # <-- culprit
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, q, k):
        scores = q @ (self.W + self.U) @ k.transpose(1, 2) + self.bias
        return torch.tanh(scores)


class Matcher(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.lq, self.lk = nn.Linear(d, 4), nn.Linear(d, 6)
        self.att = BilinearAttention(4, 6)

    def forward(self, q, k):
        return self.att(self.lq(q), self.lk(k)).mean((1, 2))


def make():
    torch.manual_seed(0)
    model = Matcher()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, (torch.randn(6, 3, 5), torch.randn(6, 4, 5), torch.rand(6))


def loss_fn(model, batch):
    q, k, y = batch
    return (model(q, k) - y).abs().mean()


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward(retain_graph=True)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "registration"
EXPECT = {
    "lq.weight": "trained",
    "lq.bias": "trained",
    "lk.weight": "trained",
    "lk.bias": "trained",
    "att.bias": "trained",
    "?W": "unregistered",
    "?U": "unregistered",
}
CAUSE = "non_leaf"

if __name__ == "__main__":
    train()
