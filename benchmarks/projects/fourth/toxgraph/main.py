import sys

import torch
import torch.nn.functional as F

from gnn import MoleculeNet
from losses import LOSSES
from molecules import ATOMS, BONDS, batches
from options import Options


def train(opts: Options) -> MoleculeNet:
    net = MoleculeNet(ATOMS, BONDS, opts.width, opts.depth, opts.heads)
    opt = torch.optim.AdamW(net.parameters(), lr=opts.lr, weight_decay=0.0)
    tasks = list(opts.heads)
    for step, mol in enumerate(batches(opts.steps)):
        # the labels come from different laboratories: one task a step
        task = tasks[step % len(tasks)]
        h = net.nodes(mol)
        pred = net.heads[task](net.graph(h, mol))
        criterion = LOSSES.pick(opts.losses[task])
        loss = criterion(pred, mol.y[task]) + opts.bond_weight * F.cross_entropy(net.bonds_of(h, mol), mol.bond)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        print(f"{step:3d} {task:11s} {loss.item():.4f}")
    return net


if __name__ == "__main__":
    options = Options.from_words(sys.argv[1:])
    torch.manual_seed(options.seed)
    train(options)
