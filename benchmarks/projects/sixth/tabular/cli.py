import argparse


def parser():
    ap = argparse.ArgumentParser("tabular fine-tuning")
    ap.add_argument("--epochs", type=int, default=5)
    ap.add_argument("--unfreeze-at", type=int, default=2, help="epoch from which the backbone trains too")
    ap.add_argument("--backbone-lr", type=float, default=2e-3)
    ap.add_argument("--head-lr", type=float, default=1e-2)
    ap.add_argument("--gate-init", type=float, default=0.5)
    ap.add_argument("--batch", type=int, default=50)
    ap.add_argument("--seed", type=int, default=8)
    return ap
