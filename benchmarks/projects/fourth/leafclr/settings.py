from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def read_env(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            key, _, value = line.partition("=")
            values[key.strip()] = value.strip()
    return values


@dataclass(frozen=True)
class Settings:
    freeze_backbone: bool
    momentum: float
    width: int
    dim: int
    lr: float
    steps: int

    @classmethod
    def load(cls, path: Path) -> "Settings":
        env = read_env(path)
        return cls(
            freeze_backbone=env["FREEZE_BACKBONE"] == "1",
            momentum=float(env["MOMENTUM"]),
            width=int(env["WIDTH"]),
            dim=int(env["DIM"]),
            lr=float(env["LR"]),
            steps=int(env["STEPS"]),
        )
