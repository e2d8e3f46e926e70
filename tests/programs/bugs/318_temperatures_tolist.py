"""Learnable temperatures for several attention heads, read out by tolist() because the loop over the heads looked nicer with
plain numbers.
Origin: learnable temperature questions on stackoverflow ("parameter has grad None"); retold."""
import torch
from torch import nn


class HeadwiseAttention(nn.Module):
    def __init__(self, d=8, heads=4):
        super().__init__()
        self.heads, self.dk = heads, d // heads
        self.qkv = nn.Linear(d, 3 * d)
        self.temps = nn.Parameter(torch.full((heads,), 1.5))
        self.o = nn.Linear(d, d)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = (t.view(b, n, self.heads, self.dk).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        outs = []
        for h, temp in enumerate(self.temps.tolist()):  # <-- culprit
            scores = q[:, h] @ k[:, h].transpose(1, 2) / temp
            outs.append(scores.softmax(-1) @ v[:, h])
        return self.o(torch.cat(outs, dim=-1))


class SetRegressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(3, 8)
        self.att = HeadwiseAttention()
        self.out = nn.Linear(8, 1)

    def forward(self, points):
        x = torch.tanh(self.inp(points))
        return self.out((x + self.att(x)).mean(1))


def make():
    torch.manual_seed(0)
    model = SetRegressor()
    groups = [{"params": [p for n, p in model.named_parameters() if n != "att.temps"]},
              {"params": [model.att.temps], "lr": 0.1}]
    optimizer = torch.optim.Adam(groups, lr=1e-3)
    return model, optimizer, (torch.randn(6, 5, 3), torch.randn(6, 1))


def loss_fn(model, batch):
    points, y = batch
    return nn.functional.mse_loss(model(points), y)


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
    "inp.weight": "trained",
    "inp.bias": "trained",
    "att.temps": "unreachable",
    "att.qkv.weight": "trained",
    "att.qkv.bias": "trained",
    "att.o.weight": "trained",
    "att.o.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
