"""A functional style: make_mlp returns a function, and the layers live in its closure. The module keeps the function as an attribute.
Origin: "why does model.parameters() not show my layers" with lambdas / partial; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def make_mlp(n_in, n_hidden, n_out):
    first = nn.Linear(n_in, n_hidden)  # <-- culprit
    second = nn.Linear(n_hidden, n_out)  # <-- culprit

    def apply(x):
        return second(F.gelu(first(x)))

    return apply


class RelationNet(nn.Module):
    def __init__(self, d=5, h=7):
        super().__init__()
        self.g = make_mlp(2 * d, h, h)  # <-- culprit
        self.f = nn.Linear(h, 2)

    def forward(self, objects):
        b, n, d = objects.shape
        left = objects.unsqueeze(2).expand(b, n, n, d)
        right = objects.unsqueeze(1).expand(b, n, n, d)
        pairs = self.g(torch.cat([left, right], dim=-1))
        return self.f(pairs.sum((1, 2)))


def make():
    torch.manual_seed(0)
    model = RelationNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(6, 3, 5), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    objects, y = batch
    return F.cross_entropy(model(objects), y)


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


KIND = "registration"
EXPECT = {
    "f.weight": "trained",
    "f.bias": "trained",
    "?first.weight": "unregistered",
    "?first.bias": "unregistered",
    "?second.weight": "unregistered",
    "?second.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
