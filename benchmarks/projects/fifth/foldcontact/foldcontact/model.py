import torch
import torch.nn.functional as F
from torch import nn

from foldcontact.layers import RelativeOffset, Transition, TriangleUpdate
from foldcontact.optim import WithDecayGroups


class ContactNet(WithDecayGroups, nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.residue = nn.Embedding(20, cfg.seq_dim)
        self.smooth = nn.Linear(3 * cfg.seq_dim, cfg.seq_dim)
        self.pair_a = nn.Linear(cfg.seq_dim, cfg.pair_dim)
        self.pair_b = nn.Linear(cfg.seq_dim, cfg.pair_dim)
        self.offset = RelativeOffset(cfg.max_offset, cfg.pair_dim)
        self.recycled = nn.LayerNorm(cfg.pair_dim)
        self.trunk = nn.Sequential(*(nn.Sequential(TriangleUpdate(cfg.pair_dim), Transition(cfg.pair_dim))
                                     for _ in range(cfg.blocks)))
        self.contact_head = nn.Linear(cfg.pair_dim, 1)
        self.ss_head = nn.Linear(cfg.seq_dim, 3)

    def single(self, seq):
        x = self.residue(seq)
        window = torch.cat([x.roll(1, 1), x, x.roll(-1, 1)], -1)
        return torch.relu(self.smooth(window))

    def forward(self, seq):
        s = self.single(seq)
        start = self.pair_a(s)[:, :, None] + self.pair_b(s)[:, None]
        pair = torch.zeros_like(start)
        for cycle in range(self.cfg.recycles + 1):
            with torch.set_grad_enabled(cycle == self.cfg.recycles):
                z = start + self.offset(seq.size(1)) + self.recycled(pair)
                pair = self.trunk(z)
        logits = self.contact_head(pair).squeeze(-1)
        return (logits + logits.transpose(1, 2)) / 2, self.ss_head(s)

    def loss(self, seq, ss, contacts):
        logits, structure = self(seq)
        contact = F.binary_cross_entropy_with_logits(logits, contacts, pos_weight=torch.tensor(4.0))
        if not self.cfg.ss_weight:
            return contact
        return contact + self.cfg.ss_weight * F.cross_entropy(structure.transpose(1, 2), ss)
