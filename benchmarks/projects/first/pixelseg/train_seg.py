import sys

import torch
import yaml
from torch.utils.data import DataLoader

from seg import optim
from seg.dataset import Blobs
from seg.losses import LossStack
from seg.models import MODELS


def main():
    cfg = yaml.safe_load(open(sys.argv[1]))
    torch.manual_seed(1)
    model = MODELS.build(cfg["model"])
    model.train()
    optim.apply_freeze(model, cfg["freeze"])
    criterion = LossStack(cfg["loss"])
    optimizer, scheduler = optim.build(model, cfg["optimizer"], cfg["schedule"])
    ds = Blobs(cfg["dataset"]["size"], cfg["dataset"]["void_label"])
    loader = DataLoader(ds, batch_size=cfg["dataset"]["batch"], shuffle=True)
    for it, (img, lab) in enumerate(loader):
        loss = criterion(model(img), lab)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        print(f"iter {it} loss {loss.item():.4f} lr {scheduler.get_last_lr()[0]:.4f}")


if __name__ == "__main__":
    main()
