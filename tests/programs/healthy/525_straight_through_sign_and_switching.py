"""Binary activations with a hard-tanh surrogate, top-2 experts chosen by argmax-like indices but weighted by their probabilities, and a
load-balancing term whose counts are detached by nature.
Origin: BinaryNet; GShard."""
import torch
from torch import nn
import torch.nn.functional as F


def binarise(x):
    soft = F.hardtanh(x)
    return (torch.sign(x) - soft).detach() + soft


class MoE(nn.Module):
    def __init__(self, d=6, n=3):
        super().__init__()
        self.gate = nn.Linear(d, n)
        self.experts = nn.ModuleList(nn.Linear(d, d) for _ in range(n))

    def forward(self, x):
        p = F.softmax(self.gate(x), -1)
        weight, index = p.topk(2, -1)
        weight = weight / weight.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        for e, expert in enumerate(self.experts):
            row, slot = (index == e).nonzero(as_tuple=True)
            if row.numel():
                out.index_add_(0, row, weight[row, slot, None] * expert(x[row]))
        load = F.one_hot(index[:, 0], len(self.experts)).float().mean(0)
        return out, (load * p.mean(0)).sum() * len(self.experts)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.moe, self.out = nn.Linear(5, 6), MoE(), nn.Linear(6, 2)

    def forward(self, x):
        h = binarise(self.inp(x))
        mixed, balance = self.moe(h)
        return self.out(h + mixed), balance


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(30, 5), torch.randint(0, 2, (30,)))


def loss_fn(model, batch):
    logits, balance = model(batch[0])
    return F.cross_entropy(logits, batch[1]) + 0.01 * balance


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
    "inp.weight": "trained",
    "inp.bias": "trained",
    "moe.gate.weight": "trained",
    "moe.gate.bias": "trained",
    "moe.experts.0.weight": "trained",
    "moe.experts.0.bias": "trained",
    "moe.experts.1.weight": "trained",
    "moe.experts.1.bias": "trained",
    "moe.experts.2.weight": "trained",
    "moe.experts.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
