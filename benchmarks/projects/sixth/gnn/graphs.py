"""Community graph: node features around a centre per community, edges by cosine similarity."""
import torch
import torch.nn.functional as F


class GraphData:
    def __init__(self, x, y, edge_index, train_mask):
        self.x, self.y, self.edge_index, self.train_mask = x, y, edge_index, train_mask


def similarity_edges(x, threshold):
    z = F.normalize(x, dim=1)
    sim = z @ z.t()
    sim.fill_diagonal_(0.0)
    return (sim > threshold).nonzero().t()


def community_graph(nodes=90, features=12, communities=3, threshold=0.6, train_share=0.5, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, communities, (nodes,), generator=g)
    centres = 2 * torch.randn(communities, features, generator=g)
    x = centres[y] + torch.randn(nodes, features, generator=g)
    train = torch.rand(nodes, generator=g) < train_share
    return GraphData(x, y, similarity_edges(x, threshold), train)
