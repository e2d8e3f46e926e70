import argparse

import torch

import yamlconf
from hooks import Collector
from model import Forecaster


def weather(n, batch, channels, height, width, seed=9):
    """Waves that drift eastwards."""
    g = torch.Generator().manual_seed(seed)
    x = torch.arange(width).float() * 6.2832 / width
    for _ in range(n):
        ph = 6.28 * torch.rand(batch, channels, height, 1, generator=g)
        yield torch.sin(x + ph), torch.sin(x + ph - 0.5)


def train(cfg):
    grid, run = cfg["grid"], cfg["train"]
    net = Forecaster(grid["channels"], **cfg["model"])
    net.train()
    opt = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=run["lr"])
    data = weather(run["steps"], run["batch"], **grid)
    with Collector(net, set(cfg["model"]["capture"])) as seen:
        for i, (now, later) in enumerate(data):
            loss = (net(now) - later).abs().mean()
            rate = seen.take("tendency")
            if rate is not None:
                loss = loss + run["tendency_weight"] * (rate - (later - now)).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            if i % 3 == 0:
                print(f"step {i} loss {loss.item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("-c", "--config", default="configs/regional.yaml")
    torch.manual_seed(5)
    train(yamlconf.read(ap.parse_args().config))
