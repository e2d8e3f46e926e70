import torch
import torch.nn.functional as F
from torch import nn

from scorers import get_scorer


class TripleModel(nn.Module):
    def __init__(self, graph, scorer, dim):
        super().__init__()
        self.entities = nn.Embedding(graph.n_entities, dim)
        self.relations = nn.Embedding(graph.n_relations, dim)
        self.inverses = nn.Embedding(graph.n_relations, dim)
        for table in (self.entities, self.relations, self.inverses):
            nn.init.normal_(table.weight, std=0.2)
        self.typing = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, graph.n_types))
        self.score = get_scorer(scorer)

    def tables(self):
        return [self.entities.weight, self.relations.weight, self.inverses.weight]

    def network(self):
        return list(self.typing.parameters())

    def rank(self, subject, relation, obj, others, margin, inverse=False):
        """Hinge: the true object must beat the corrupted ones by the margin."""
        table = self.inverses if inverse else self.relations
        s, r = self.entities(subject), table(relation)
        pos = self.score(s, r, self.entities(obj)).unsqueeze(1)
        neg = self.score(s.unsqueeze(1), r.unsqueeze(1), self.entities(others))
        return F.relu(margin - pos + neg).mean()

    def type_loss(self, ids, types):
        return F.cross_entropy(self.typing(self.entities(ids)), types[ids])
