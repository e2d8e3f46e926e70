"""A switch layer: one expert per token, a capacity that drops tokens, the gate's probability multiplied in, load balancing with detached
counts, and router noise.
Origin: the switch transformer's layer, reduced."""
import torch
from torch import nn


class Switch(nn.Module):
    def __init__(self, d=6, n=3, capacity=1.5):
        super().__init__()
        self.n, self.capacity = n, capacity
        self.router = nn.Linear(d, n, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, d)) for _ in range(n))

    def forward(self, x):
        logits = self.router(x)
        if self.training:
            logits = logits + 0.5 * torch.randn_like(logits)
        probs = logits.softmax(-1)
        weight, index = probs.max(-1)
        limit = int(self.capacity * len(x) / self.n)
        y = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            tokens = (index == number).nonzero().squeeze(-1)[:limit]
            if len(tokens):
                y = y.index_copy(0, tokens, expert(x[tokens]) * weight[tokens, None])
        share = torch.bincount(index, minlength=self.n).float() / len(x)
        return x + y, self.n * (share * probs.mean(0)).sum()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.moe, self.out = nn.Linear(4, 6), Switch(), nn.Linear(6, 2)

    def forward(self, x):
        h, balance = self.moe(torch.tanh(self.inp(x)))
        return self.out(h), balance


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(30, 4), torch.randint(0, 2, (30,)))


def loss_fn(model, batch):
    logits, balance = model(batch[0])
    return nn.functional.cross_entropy(logits, batch[1]) + 0.01 * balance


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "healthy"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "moe.router.weight": "trained",
    "moe.experts.0.0.weight": "trained",
    "moe.experts.0.0.bias": "trained",
    "moe.experts.0.2.weight": "trained",
    "moe.experts.0.2.bias": "trained",
    "moe.experts.1.0.weight": "trained",
    "moe.experts.1.0.bias": "trained",
    "moe.experts.1.2.weight": "trained",
    "moe.experts.1.2.bias": "trained",
    "moe.experts.2.0.weight": "trained",
    "moe.experts.2.0.bias": "trained",
    "moe.experts.2.2.weight": "trained",
    "moe.experts.2.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
