"""Top-1 mixture of experts: the gate's probability of the chosen expert is computed, and not multiplied into the output; the gate
only has a part through the index.
Origin: Switch Transformer reimplementations, "router gets no gradient"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Top1MoE(nn.Module):
    def __init__(self, d=6, n=3):
        super().__init__()
        self.gate = nn.Linear(d, n, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, d), nn.ReLU()) for _ in range(n))

    def forward(self, x):
        probs = self.gate(x).softmax(-1)
        weight, index = probs.max(-1)
        out = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            rows = (index == i).nonzero(as_tuple=True)[0]
            out = out.index_copy(0, rows, expert(x[rows]))  # <-- culprit
        return out  # <-- culprit


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp, self.moe, self.out = nn.Linear(4, d), Top1MoE(d), nn.Linear(d, 2)

    def forward(self, x):
        h = torch.tanh(self.inp(x))
        return self.out(h + self.moe(h))


def make():
    torch.manual_seed(0)
    net = Net()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    return net, opt, (torch.randn(40, 4), torch.randint(0, 2, (40,)))


def loss_fn(net, batch):
    x, y = batch
    return F.cross_entropy(net(x), y)


def train(steps=3):
    net, opt, batch = make()
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, losses


KIND = "forward"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "moe.gate.weight": "unreachable",
    "moe.experts.0.0.weight": "trained",
    "moe.experts.0.0.bias": "trained",
    "moe.experts.1.0.weight": "trained",
    "moe.experts.1.0.bias": "trained",
    "moe.experts.2.0.weight": "trained",
    "moe.experts.2.0.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
