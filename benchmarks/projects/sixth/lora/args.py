from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser


def get_args():
    ap = ArgumentParser(formatter_class=ArgumentDefaultsHelpFormatter)
    ap.add_argument("--rank", type=int, default=4)
    ap.add_argument("--alpha", type=float, default=8.0)
    ap.add_argument("--init-a", choices=["kaiming", "normal", "zeros"], default="kaiming")
    ap.add_argument("--targets", default="query,value")
    ap.add_argument("--lr", type=float, default=1e-2)
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--seed", type=int, default=6)
    return ap.parse_args()
