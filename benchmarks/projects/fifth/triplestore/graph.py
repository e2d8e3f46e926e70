import torch


class KnowledgeGraph:
    """Entities have hidden positions; a relation links those it maps close together."""

    def __init__(self, entities, relations, triples, types, seed):
        g = torch.Generator().manual_seed(seed)
        where = torch.randn(entities, 2, generator=g)
        moves = torch.randn(relations, 2, generator=g)
        heads = torch.randint(0, entities, (triples,), generator=g)
        rels = torch.randint(0, relations, (triples,), generator=g)
        goal = where[heads] + moves[rels]
        tails = torch.cdist(goal, where).argmin(1)
        self.triples = torch.stack([heads, rels, tails], 1)
        self.types = (where[:, 0] > 0).long() + (where[:, 1] > 0).long().clamp(max=types - 1)
        self.n_entities, self.n_relations, self.n_types = entities, relations, types
        self.rng = g

    def batches(self, size):
        order = torch.randperm(len(self.triples), generator=self.rng)
        for idx in order.split(size):
            yield self.triples[idx].unbind(1)

    def corrupt(self, n, k):
        return torch.randint(0, self.n_entities, (n, k), generator=self.rng)
