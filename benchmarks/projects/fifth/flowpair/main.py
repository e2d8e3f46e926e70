import configparser

import torch

from engine import Engine
from frames import batches
from nets import FlowNet


def run(path="flow.ini"):
    cfg = configparser.ConfigParser()
    cfg.read(path)
    seed = cfg.getint("train", "seed")
    torch.manual_seed(seed)
    net = FlowNet(cfg.getint("model", "dim"), cfg.getint("model", "iterations"))
    engine = Engine(net, cfg)
    data = batches(cfg["data"], seed)
    for epoch in range(cfg.getint("train", "epochs")):
        losses = [engine.step(*pair) for pair in data]
        print("epoch", epoch, "photometric %.4f" % (sum(losses) / len(losses)), "skipped", engine.skipped)
    return net


if __name__ == "__main__":
    run()
