import torch
from torch import Tensor, nn

from heads import HEADS


class EdgeConv(nn.Module):
    """Neighbours, gated by the kind of bond, are summed up."""

    def __init__(self, width: int, bonds: int) -> None:
        super().__init__()
        self.gate = nn.Embedding(bonds, width)
        self.own = nn.Linear(width, width)
        self.other = nn.Linear(width, width)

    def forward(self, h: Tensor, edges: Tensor, bond: Tensor) -> Tensor:
        src, dst = edges
        sent = h[src]
        message = sent * torch.sigmoid(self.gate(bond))
        total = torch.zeros_like(h).index_add(0, dst, message)
        return torch.nn.functional.silu(self.own(h) + self.other(total))


class MoleculeNet(nn.Module):
    def __init__(self, atoms: int, bonds: int, width: int, depth: int, heads: dict[str, str]) -> None:
        super().__init__()
        self.atom = nn.Embedding(atoms, width)
        self.convs = nn.ModuleList([EdgeConv(width, bonds) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])
        self.heads = nn.ModuleDict({task: HEADS.pick(kind)(width) for task, kind in heads.items()})
        self.bond_head = nn.Linear(2 * width, bonds)

    def nodes(self, mol) -> Tensor:
        h = self.atom(mol.atoms)
        for conv, norm in zip(self.convs, self.norms):
            h = h + norm(conv(h, mol.edges, mol.bond))
        return h

    def graph(self, h: Tensor, mol) -> Tensor:
        return torch.zeros(mol.size, h.shape[1]).index_add(0, mol.owner, h)

    def bonds_of(self, h: Tensor, mol) -> Tensor:
        return self.bond_head(torch.cat([h[mol.edges[0]], h[mol.edges[1]]], dim=1))
