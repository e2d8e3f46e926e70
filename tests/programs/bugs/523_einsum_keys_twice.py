"""Linear attention by einsum: the keys are written where the queries belong. The query projection is computed and used nowhere.
Origin: code review of an attention reimplementation; retold."""
import torch
from torch import nn


class LinearAttention(nn.Module):
    def __init__(self, d=6, heads=2):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(d, d, bias=False)
        self.to_k = nn.Linear(d, d, bias=False)
        self.to_v = nn.Linear(d, d, bias=False)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = (f(x).view(b, n, self.heads, -1) for f in (self.to_q, self.to_k, self.to_v))
        q, k = nn.functional.elu(q) + 1, nn.functional.elu(k) + 1
        context = torch.einsum("bnhd,bnhe->bhde", k, v)
        norm = torch.einsum("bnhd,bhd->bnh", k, k.sum(1)).unsqueeze(-1)
        return (torch.einsum("bnhd,bhde->bnhe", k, context) / norm).reshape(b, n, d)  # <-- culprit


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.out = LinearAttention(), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(x + self.attn(x)).mean(1)


def make():
    torch.manual_seed(0)
    model = Model()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(4, 5, 6), torch.randint(0, 3, (4,)))


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
    "attn.to_q.weight": "unreachable",
    "attn.to_k.weight": "trained",
    "attn.to_v.weight": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
