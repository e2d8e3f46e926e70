import sys
from pathlib import Path

import torch
import yaml
from torch.utils.data import DataLoader

from asr.augment import SpecAugment
from asr.data import ToySpeech, collate
from asr.model import SpeechModel
from asr.trainer import Trainer


def main(path):
    cfg = yaml.safe_load(Path(path).read_text())
    torch.manual_seed(cfg["seed"])
    data = ToySpeech(**cfg["data"], seed=cfg["seed"])
    loader = DataLoader(data, batch_size=cfg["train"]["batch_size"], shuffle=True, collate_fn=collate)
    model = SpeechModel(cfg["data"]["n_mels"], cfg["data"]["vocab"], **cfg["model"])
    augment = SpecAugment(**cfg["augment"], seed=cfg["seed"])
    Trainer(model, loader, augment, cfg["train"]).fit()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "conf.yaml")
