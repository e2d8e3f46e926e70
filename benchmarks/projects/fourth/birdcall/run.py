import tomllib
from pathlib import Path

import torch

from callbacks import Printer, TempoTerm, ThawFromTop
from data import SYLLABLES, clips
from model import Recogniser
from trainer import Trainer

HERE = Path(__file__).parent


def main():
    conf = tomllib.loads((HERE / "conf.toml").read_text())
    torch.manual_seed(21)
    data, train = conf["data"], conf["train"]
    model = Recogniser(mels=data["mels"], vocab=len(SYLLABLES), **conf["model"])
    trainer = Trainer(
        model,
        lr=train["lr"],
        inter_weight=train["inter_weight"],
        callbacks=[ThawFromTop(train["thaw_every"]), TempoTerm(train["tempo_weight"]), Printer()],
    )
    trainer.fit(clips(**data))


if __name__ == "__main__":
    main()
