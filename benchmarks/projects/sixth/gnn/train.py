import torch

import graphs
from network import GraphNet
from runner import Runner

CONFIG = {
    "seed": 2,
    "data": {"nodes": 90, "features": 12, "threshold": 0.6},
    "model": {"hidden": 16, "depth": 3, "jk": {"mode": "attention"}},
    "lr": 0.01,
    "epochs": 13,
    "plugins": {"snapshot": {}, "printer": {"every": 4}},
}


def main(cfg):
    torch.manual_seed(cfg["seed"])
    data = graphs.community_graph(seed=cfg["seed"], **cfg["data"])
    model = GraphNet(data.x.shape[1], classes=int(data.y.max()) + 1, **cfg["model"])
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    Runner(model, data, optimizer, cfg["plugins"]).run(cfg["epochs"])


main(CONFIG)
