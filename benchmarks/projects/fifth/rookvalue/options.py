import argparse


def yesno(text):
    if text.lower() in ("y", "yes", "true", "1"):
        return True
    if text.lower() in ("n", "no", "false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"yes or no expected, got {text!r}")


def parse(argv=None):
    ap = argparse.ArgumentParser(description="value net by self-play with gating")
    ap.add_argument("--dim", type=int, default=16)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--generations", type=int, default=3)
    ap.add_argument("--updates", type=int, default=4, help="gradient steps per generation")
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--freeze-trunk", type=yesno, default=False, help="only fit the heads")
    ap.add_argument("--seed", type=int, default=11)
    return ap.parse_args(argv)
