import argparse


def parse(argv=None):
    p = argparse.ArgumentParser("finetune")
    p.add_argument("--adapter", default="lora", choices=["lora", "bias"])
    p.add_argument("--targets", nargs="+", default=["query", "value"])
    p.add_argument("--rank", type=int, default=4)
    p.add_argument("--alpha", type=int, default=8)
    p.add_argument("--lr", type=float, default=1e-2)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--batch-size", type=int, default=16)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args(argv)
