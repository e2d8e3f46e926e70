import argparse
from dataclasses import dataclass, fields


@dataclass
class Settings:
    seed: int = 3
    iterations: int = 4
    horizon: int = 96
    num_envs: int = 4
    minibatch_size: int = 64
    epochs: int = 3
    gamma: float = 0.97
    lam: float = 0.9
    clip: float = 0.2
    target_kl: float = 0.05
    lr: float = 3e-3
    vf_coef: float = 0.5
    hidden: int = 32


def parse(argv=None):
    ap = argparse.ArgumentParser()
    for f in fields(Settings):
        ap.add_argument("--" + f.name.replace("_", "-"), type=f.type, default=f.default)
    return Settings(**vars(ap.parse_args(argv)))
