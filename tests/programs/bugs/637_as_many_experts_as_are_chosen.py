"""Top-2 routing among four experts. The loop that dispatches the tokens runs over the number of chosen experts, not over the experts.
Origin: a mixture-of-experts tutorial's comment section; retold."""
import torch
from torch import nn


class MoE(nn.Module):
    def __init__(self, d=5, n=4, k=2):
        super().__init__()
        self.k = k
        self.gate = nn.Linear(d, n)
        self.experts = nn.ModuleList(nn.Linear(d, d) for _ in range(n))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        weight, index = self.gate(x).softmax(-1).topk(self.k, dim=-1)
        y = torch.zeros_like(x)
        for e in range(self.k):  # <-- culprit
            token, slot = torch.where(index == e)
            y = y.index_add(0, token, self.experts[e](x[token]) * weight[token, slot, None])
        return self.out(x + y)


def make():
    torch.manual_seed(0)
    model = MoE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(40, 5), torch.randint(0, 2, (40,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "forward"
EXPECT = {
    "gate.weight": "trained",
    "gate.bias": "trained",
    "experts.0.weight": "trained",
    "experts.0.bias": "trained",
    "experts.1.weight": "trained",
    "experts.1.bias": "trained",
    "experts.2.weight": "unreachable",
    "experts.2.bias": "unreachable",
    "experts.3.weight": "unreachable",
    "experts.3.bias": "unreachable",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
