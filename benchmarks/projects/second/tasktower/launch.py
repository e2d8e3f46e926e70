import pathlib
import sys

import torch
import yaml

from mtl import MultiTaskTrainer


def main(path: str) -> int:
    conf = yaml.safe_load(pathlib.Path(path).read_text())
    torch.manual_seed(conf.get("seed", 0))
    trainer = MultiTaskTrainer(conf)
    n = sum(p.numel() for p in trainer.model.parameters())
    print(f"{len(trainer.tasks)} tasks, {n} parameters")
    trainer.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
