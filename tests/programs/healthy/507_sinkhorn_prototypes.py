"""SwAV-like: codes by Sinkhorn under no_grad, prototypes renormalised under no_grad before each pass, swapped prediction.
Origin: Caron et al. 2020."""
import torch
from torch import nn
import torch.nn.functional as F


class SwAV(nn.Module):
    def __init__(self, k=5, d=4):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, d))
        self.prototypes = nn.Linear(d, k, bias=False)

    def forward(self, x):
        return self.prototypes(F.normalize(self.net(x), dim=1))


@torch.no_grad()
def sinkhorn(scores, eps=0.2, rounds=3):
    q = torch.exp(scores / eps).t()
    q /= q.sum()
    for _ in range(rounds):
        q /= q.sum(1, keepdim=True) * q.shape[0]
        q /= q.sum(0, keepdim=True) * q.shape[1]
    return (q * q.shape[1]).t()


def make():
    torch.manual_seed(0)
    model = SwAV()
    x = torch.randn(12, 6)
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), (x, x + 0.2 * torch.randn_like(x))


def loss_fn(model, batch):
    with torch.no_grad():
        w = model.prototypes.weight.data.clone()
        model.prototypes.weight.copy_(F.normalize(w, dim=1, p=2))
    a, b = (model(view) for view in batch)
    qa, qb = sinkhorn(a), sinkhorn(b)
    return -((qa * F.log_softmax(b / 0.1, 1)).sum(1) + (qb * F.log_softmax(a / 0.1, 1)).sum(1)).mean() / 2


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


KIND = "healthy"
EXPECT = {
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
    "prototypes.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
