"""Only the attention map of nn.MultiheadAttention is used, to pool raw features. The values and the output projection are computed for nothing.
Origin: "out_proj.weight.grad is None" issue; retold."""
import torch
from torch import nn


class AttentionPool(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, d))
        self.mha = nn.MultiheadAttention(d, 2, batch_first=True)
        self.fc = nn.Linear(d, 3)

    def forward(self, x):
        q = self.query.expand(len(x), -1, -1)
        pooled, weights = self.mha(q, x, x)  # <-- culprit
        return self.fc((weights @ x).squeeze(1))  # <-- culprit


def make():
    torch.manual_seed(0)
    model = AttentionPool()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(6, 5, 8), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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
    "query": "trained",
    "mha.in_proj_weight": "trained",
    "mha.in_proj_bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
    "mha.out_proj.weight": "unreachable",
    "mha.out_proj.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
