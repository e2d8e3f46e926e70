"""A graph network over a sparse adjacency with learnt edge weights; isolated classes masked out of the loss.
Origin: GCN in plain torch.sparse."""
import torch
from torch import nn
import torch.nn.functional as F


class GCN(nn.Module):
    def __init__(self, edges, nodes):
        super().__init__()
        self.register_buffer("index", edges)
        self.nodes = nodes
        self.edge_logit = nn.Parameter(torch.zeros(edges.shape[1]))
        self.w1, self.w2 = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x):
        adj = torch.sparse_coo_tensor(self.index, torch.sigmoid(self.edge_logit), (self.nodes, self.nodes))
        h = F.relu(torch.sparse.mm(adj, self.w1(x)) + x.new_zeros(1))
        return torch.sparse.mm(adj, self.w2(h))


def make():
    torch.manual_seed(0)
    edges = torch.cat([torch.randint(0, 10, (2, 25)), torch.arange(10).repeat(2, 1)], 1)
    model = GCN(edges, 10)
    known = torch.tensor([0, 1, 3, 4, 8])
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(10, 5), torch.randint(0, 3, (10,)), known)


def loss_fn(model, batch):
    x, y, known = batch
    return F.nll_loss(F.log_softmax(model(x), 1)[known], y[known])


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
    "edge_logit": "trained",
    "w1.weight": "trained",
    "w1.bias": "trained",
    "w2.weight": "trained",
    "w2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
