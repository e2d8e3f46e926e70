"""python -m pointpart.tools [config]"""
import json
import sys

import torch
from torch import nn

from pointpart.build import MODELS, build_from, layer_groups
from pointpart.shapes import loader


def train(cfg):
    torch.manual_seed(0)
    model = build_from(MODELS, cfg["model"])
    optimizer = torch.optim.Adam(layer_groups(model.named_parameters(), cfg["lr"], cfg["lr_scale"]))
    parallel = nn.DataParallel(model)
    data = loader(**cfg["shapes"])
    for epoch in range(cfg["epochs"]):
        for batch in data:
            out = parallel(batch["points"])
            terms = model.losses(out, batch)
            loss = sum(terms.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(epoch, {k: round(v.item(), 4) for k, v in terms.items()})


if __name__ == "__main__":
    with open(sys.argv[1] if len(sys.argv) > 1 else "parts.json") as f:
        train(json.load(f))
