import argparse

import torch
import torch.nn.functional as F

from events import read_log
from optimizer import make_optimizer
from pipeline import fit_vocabs, make_loader
from towers import TwoTower


def get_args():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=4)
    ap.add_argument("--batch-size", type=int, default=64)
    ap.add_argument("--lr", type=float, default=1e-2)
    ap.add_argument("--weight-decay", type=float, default=0.0)
    ap.add_argument("--users", type=int, default=60)
    ap.add_argument("--items", type=int, default=40)
    ap.add_argument("--events", type=int, default=600)
    ap.add_argument("--seed", type=int, default=11)
    return ap.parse_args()


def bpr(pos, neg):
    return -F.logsigmoid(pos - neg).mean()


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    rows = read_log(args.users, args.items, args.events, args.seed)
    vocabs = fit_vocabs(rows)
    loader = make_loader(rows, vocabs, args.batch_size, args.seed)
    model = TwoTower({k: len(v) for k, v in vocabs.items()})
    optimizer = make_optimizer(model, args.lr, args.weight_decay)
    for epoch in range(args.epochs):
        total = right = seen = 0.0
        for batch in loader:
            pos, neg = model(batch)
            loss = bpr(pos, neg)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(pos)
            right += (pos > neg).sum().item()
            seen += len(pos)
        print(f"epoch {epoch}: bpr {total / seen:.4f} pairwise accuracy {right / seen:.3f}")


if __name__ == "__main__":
    main()
