import torch

from callbacks import GradNorms, Printer, Unfreeze
from corpus import FakeCorpus
from recognizer import Recognizer
from sparkle import Runner

HPARAMS = {
    "n_mels": 6,
    "vocab": 9,
    "dim": 12,
    "lr": 4e-3,
    "ctc_weight": 0.4,
}
MAX_EPOCHS = 3
THAW_FRONT_AT = 1


def build():
    unit = Recognizer(HPARAMS)
    callbacks = [GradNorms(), Unfreeze("front", THAW_FRONT_AT), Printer()]
    return unit, Runner(MAX_EPOCHS, callbacks, grad_clip=5.0)


if __name__ == "__main__":
    torch.manual_seed(0)
    unit, runner = build()
    runner.fit(unit, FakeCorpus())
