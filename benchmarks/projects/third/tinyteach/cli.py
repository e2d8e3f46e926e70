import argparse

import torch

import layerwise
from distill import Distiller
from scaling import LossScaler

PARSER = argparse.ArgumentParser(prog="tinyteach")
SUB = PARSER.add_subparsers(dest="command", required=True)


def command(**options):
    """Makes a function a sub-command, keyword defaults become options."""
    def add(fn):
        sub = SUB.add_parser(fn.__name__)
        for name, default in options.items():
            sub.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
        sub.set_defaults(run=fn)
        return fn
    return add


def pictures(n, classes, size=8):
    y = torch.randint(0, classes, (n,))
    x = torch.randn(n, 1, size, size) * 0.3
    for i, c in enumerate(y.tolist()):
        x[i, 0, c * 2] += 1.5
    return x, y


@command(steps=10, temperature=3.0, hint_weight=0.5, seed=1)
def train(steps, temperature, hint_weight, seed):
    torch.manual_seed(seed)
    net = Distiller(4, temperature, hint_weight)
    opt = layerwise.build(net)
    scaler = LossScaler()
    for _ in range(steps):
        loss = net.loss(*pictures(16, 4))
        opt.zero_grad()
        scaler.backward(loss)
        scaler.step(opt)
    print(f"loss {loss.item():.3f}, steps {scaler.taken}, skipped {scaler.skipped}")


if __name__ == "__main__":
    args = vars(PARSER.parse_args())
    args.pop("command")
    args.pop("run")(**args)
