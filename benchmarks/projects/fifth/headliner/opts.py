import argparse

parser = argparse.ArgumentParser(description="headlines with a pointer-generator")
parser.add_argument("-emb", type=int, default=12)
parser.add_argument("-hid", type=int, default=16)
parser.add_argument("-layers", type=int, default=1)
parser.add_argument("-batch", type=int, default=4)
parser.add_argument("-epochs", type=int, default=3)
parser.add_argument("-lr", type=float, default=0.05)
parser.add_argument("-decay", type=float, default=0.9)
parser.add_argument("-warmup", type=int, default=4)
parser.add_argument("-cov", type=float, default=0.5, help="weight of the coverage loss")
parser.add_argument("-clip", type=float, default=2.0)
parser.add_argument("-seed", type=int, default=13)


def get_opts():
    opt = parser.parse_args()
    assert opt.hid % 2 == 0, "the encoder is bidirectional"
    return opt
