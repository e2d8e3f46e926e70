import sys

import torch
import yaml

from acoustic import FastSpeaker
from corpus import batches
from trainer import Trainer


def main(path):
    with open(path) as f:
        cfg = yaml.safe_load(f)
    run, data = cfg["run"], cfg["data"]
    torch.manual_seed(run["seed"])
    loader = batches(seed=run["seed"], **data)
    model = FastSpeaker(data["phonemes"], data["n_mels"], **cfg["model"])
    trainer = Trainer(model, cfg["loss"], cfg["optim"])
    for epoch in range(run["epochs"]):
        sums = trainer.train_epoch(loader)
        print(f"epoch {epoch}: " + "  ".join(f"{k} {v:.3f}" for k, v in sums.items()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "config.yaml")
