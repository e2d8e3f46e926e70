import json
import sys

import torch

from .learner import Learner
from .optimizers import make_optimizer
from .views import TwoViews


def main(path):
    with open(path) as fh:
        cfg = json.load(fh)
    torch.manual_seed(cfg["seed"])
    data = TwoViews(seed=cfg["seed"])
    learner = Learner(data.dim, cfg)
    optimizer = make_optimizer(learner, cfg["optimizer"])
    for i, (a, b) in enumerate(data.batches(cfg["train"]["batch"], cfg["train"]["steps"])):
        loss = learner(a, b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        learner.update_target()
        print(f"iter {i} loss {loss.item():.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
