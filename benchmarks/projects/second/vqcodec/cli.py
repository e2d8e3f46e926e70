import argparse


def yes_no(text):
    if text.lower() in ("y", "yes", "true", "1", "on"):
        return True
    if text.lower() in ("n", "no", "false", "0", "off"):
        return False
    raise argparse.ArgumentTypeError(f"yes or no expected, got {text!r}")


def build_parser():
    p = argparse.ArgumentParser(description="train the codec")
    p.add_argument("--channels", type=int, default=8)
    p.add_argument("--codes", type=int, default=12)
    p.add_argument("--decoder", default="gated", choices=["plain", "gated"])
    p.add_argument("--freeze-encoder", type=yes_no, default=False)
    p.add_argument("--learn-noise", type=yes_no, default=True)
    p.add_argument("--commit", type=float, default=0.25)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--seed", type=int, default=0)
    return p
