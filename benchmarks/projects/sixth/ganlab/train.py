import json

import torch

from lab.callbacks import EMA, Preview
from lab.nets import GANModel
from lab.trainer import GANTrainer

if __name__ == "__main__":
    with open("config.json") as f:
        cfg = json.load(f)
    torch.manual_seed(cfg["seed"])
    model = GANModel(cfg)
    ema = EMA(model.generator, **cfg["ema"])
    GANTrainer(model, cfg, [ema, Preview(ema, cfg["preview_every"])]).run()
