import os
from dataclasses import dataclass


def env(name, default, cast):
    return cast(os.environ.get("GLUCODE_" + name, default))


@dataclass
class Settings:
    latent: int = env("LATENT", 4, int)
    steps: int = env("STEPS", 8, int)
    lr: float = env("LR", 3e-3, float)
    event_weight: float = env("EVENT_WEIGHT", 0.0, float)
    batch: int = 8
    seed: int = 6

    def describe(self):
        return ", ".join(f"{k}={v}" for k, v in vars(self).items())
