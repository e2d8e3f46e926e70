"""Self loops are to be taken out of the edge list. The comparison selects them, and the graph has none: no message is ever sent.
Origin: "GNN predicts the same as an MLP" question; retold."""
import torch
from torch import nn


class MessagePassing(nn.Module):
    def __init__(self, d=6, e=3):
        super().__init__()
        self.edge_mlp = nn.Sequential(nn.Linear(e, d), nn.ReLU())
        self.msg = nn.Linear(2 * d, d)
        self.node = nn.Linear(4, d)
        self.upd = nn.Linear(2 * d, d)
        self.out = nn.Linear(d, 2)

    def forward(self, x, edge_index, edge_attr):
        keep = edge_index[0] == edge_index[1]  # <-- culprit
        edge_index, edge_attr = edge_index[:, keep], edge_attr[keep]
        src, dst = edge_index
        h = self.node(x)
        m = self.msg(torch.cat([h[src], self.edge_mlp(edge_attr)], -1))
        agg = torch.zeros_like(h).index_add(0, dst, m)
        return self.out(torch.relu(self.upd(torch.cat([h, agg], -1))))


def make():
    torch.manual_seed(0)
    model = MessagePassing()
    src = torch.arange(10)
    edges = torch.stack([src, (src + 1 + src % 3) % 10])
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(10, 4), edges, torch.randn(10, 3), torch.randint(0, 2, (10,)))


def loss_fn(model, batch):
    x, edge_index, edge_attr, y = batch
    return nn.functional.cross_entropy(model(x, edge_index, edge_attr), y)


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
    "edge_mlp.0.weight": "blocked",
    "edge_mlp.0.bias": "blocked",
    "msg.weight": "blocked",
    "msg.bias": "blocked",
    "node.weight": "trained",
    "node.bias": "trained",
    "upd.weight": "trained",
    "upd.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
