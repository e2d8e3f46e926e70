import sys

import torch
import torch.nn.functional as F

import defaults
from network import MoENet, combine


def toy_batch(n):
    x = torch.randn(n, 6)
    y = (x[:, 0] > 0).long() + (x[:, 1] * x[:, 2] > 0).long()
    return x, y


def run(cfg):
    torch.manual_seed(cfg["seed"])
    net = MoENet(6, 3, cfg["model"])
    opt = torch.optim.Adam(net.parameters(), lr=cfg["optim"]["lr"])
    for step in range(cfg["steps"]):
        x, y = toy_batch(cfg["batch"])
        logits, aux = net(x)
        loss = combine(F.cross_entropy(logits, y), aux, cfg["loss"])
        opt.zero_grad()
        loss.backward()
        nn_norm = torch.nn.utils.clip_grad_norm_(net.parameters(), cfg["optim"]["clip"])
        opt.step()
        print(f"{step:02d} loss={loss.item():.4f} |g|={nn_norm.item():.3f}")
    return net


if __name__ == "__main__":
    run(defaults.get(sys.argv[1] if len(sys.argv) > 1 else "debug"))
