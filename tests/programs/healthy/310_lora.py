"""LoRA: frozen base weights, B starts at zero, so A's first gradient is zero. Origin: LoRA."""
import torch
from torch import nn
import torch.nn.functional as F


class LoRA(nn.Module):
    def __init__(self, base, r=2):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(r, base.in_features) * 0.1)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    def forward(self, x):
        return self.base(x) + (x @ self.A.T) @ self.B.T


def make():
    torch.manual_seed(0)
    model = nn.Sequential(LoRA(nn.Linear(5, 6)), nn.ReLU(), LoRA(nn.Linear(6, 2)))
    optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-2)
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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
    "0.A": "trained",
    "0.B": "trained",
    "0.base.weight": "frozen",
    "0.base.bias": "frozen",
    "2.A": "trained",
    "2.B": "trained",
    "2.base.weight": "frozen",
    "2.base.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'*.base.*': 'LoRA base'}

if __name__ == "__main__":
    train()
