"""A sparse mixture of experts. The weights of the chosen experts are computed and renormalised; the mixing matrix is filled with ones.
Origin: an MoE reimplementation, "router gets no gradient"; retold."""
import torch
from torch import nn


class SparseMoE(nn.Module):
    def __init__(self, d=6, experts=4, k=2):
        super().__init__()
        self.k = k
        self.router = nn.Linear(d, experts, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, 8), nn.GELU(), nn.Linear(8, d)) for _ in range(experts))

    def forward(self, x):
        probs = self.router(x).softmax(-1)
        top, index = probs.topk(self.k, dim=-1)
        top = top / top.sum(-1, keepdim=True)
        mix = torch.zeros_like(probs).scatter(-1, index, 1.0)  # <-- culprit
        y = torch.stack([expert(x) for expert in self.experts], dim=-1)
        return x + (y * mix.unsqueeze(-2)).sum(-1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.moe, self.out = nn.Linear(4, 6), SparseMoE(), nn.Linear(6, 2)

    @property
    def router(self):
        return self.moe.router

    def forward(self, x):
        return self.out(self.moe(self.inp(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), (torch.randn(24, 4), torch.randint(0, 2, (24,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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


KIND = "forward"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "moe.router.weight": "unreachable",
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
    "moe.experts.3.0.weight": "trained",
    "moe.experts.3.0.bias": "trained",
    "moe.experts.3.2.weight": "trained",
    "moe.experts.3.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
