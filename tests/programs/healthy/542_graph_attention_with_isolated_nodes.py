"""Graph attention with a softmax over incoming edges by scatter_reduce (its maximum detached), nodes without any edge, edges dropped at random,
and jumping knowledge.
Origin: a graph library's layers, rewritten small."""
import torch
from torch import nn


class GAT(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.lin = nn.Linear(d, d, bias=False)
        self.att_src, self.att_dst = nn.Parameter(torch.randn(d) * 0.3), nn.Parameter(torch.randn(d) * 0.3)
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x, src, dst):
        h = self.lin(x)
        e = nn.functional.leaky_relu((h @ self.att_src)[src] + (h @ self.att_dst)[dst], 0.2)
        top = torch.full((len(x),), -1e9).scatter_reduce(0, dst, e.detach(), "amax")
        w = (e - top[dst]).exp()
        total = torch.zeros(len(x)).index_add(0, dst, w)
        out = torch.zeros_like(h).index_add(0, dst, h[src] * (w / (total[dst] + 1e-9))[:, None])
        return out + self.bias


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp = nn.Linear(4, d)
        self.layers = nn.ModuleList([GAT(d), GAT(d)])
        self.out = nn.Linear(3 * d, 2)

    def forward(self, x, edges):
        h = self.inp(x)
        kept = torch.rand(edges.shape[1]) > 0.1 if self.training else torch.ones(edges.shape[1], dtype=torch.bool)
        src, dst = edges[:, kept]
        seen = [h]
        for layer in self.layers:
            h = torch.relu(layer(h, src, dst)) + h
            seen.append(h)
        return self.out(torch.cat(seen, -1))


def make():
    torch.manual_seed(0)
    model = Net()
    edges = torch.randint(0, 8, (2, 30))
    return model, torch.optim.Adam(model.parameters(), lr=5e-3), (torch.randn(10, 4), edges, torch.randint(0, 2, (10,)))


def loss_fn(model, batch):
    x, edges, y = batch
    known = torch.arange(10) < 7
    return nn.functional.cross_entropy(model(x, edges)[known], y[known])


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
    "layers.0.att_src": "trained",
    "layers.0.att_dst": "trained",
    "layers.0.bias": "trained",
    "layers.0.lin.weight": "trained",
    "layers.1.att_src": "trained",
    "layers.1.att_dst": "trained",
    "layers.1.bias": "trained",
    "layers.1.lin.weight": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
