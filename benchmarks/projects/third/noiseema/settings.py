"""All knobs come from the environment, as on the cluster."""
import os
from types import SimpleNamespace


def _flag(name, default="0"):
    return os.environ.get(name, default).lower() in ("1", "true", "yes")


def _number(name, default, kind=float):
    return kind(os.environ.get(name, default))


def from_env():
    return SimpleNamespace(
        steps=_number("DDPM_STEPS", "10", int),
        timesteps=_number("DDPM_T", "50", int),
        width=_number("DDPM_WIDTH", "24", int),
        lr=_number("DDPM_LR", "2e-3"),
        ema_decay=_number("DDPM_EMA", "0.9"),
        label_drop=_number("DDPM_LABEL_DROP", "0.15"),
        freeze_stem=_flag("DDPM_FREEZE_STEM"),
        n_classes=4,
        seed=_number("DDPM_SEED", "3", int),
    )
