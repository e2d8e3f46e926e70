import argparse

import torch

from foldcontact.model import ContactNet
from foldcontact.proteins import batch_stream
from foldcontact.settings import FoldSettings


def main():
    parser = argparse.ArgumentParser(prog="foldcontact")
    parser.add_argument("--preset", default="tiny")
    cfg = FoldSettings.preset(parser.parse_args().preset)
    torch.manual_seed(cfg.seed)
    net = ContactNet(cfg)
    optimizer = net.make_optimizer(cfg.lr, cfg.weight_decay)
    stream = batch_stream(3, 14, cfg.seed)
    for step in range(cfg.steps):
        loss = net.loss(*next(stream))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{step:3d} {loss.item():.4f}")


if __name__ == "__main__":
    main()
