from dataclasses import dataclass
from typing import Tuple


@dataclass
class Stage:
    name: str
    steps: int
    lr: float
    hint: float = 0.0
    soft: float = 0.5
    hold: Tuple[str, ...] = ()
    thaw: Tuple[str, ...] = ()


PLAN = [
    Stage("hint", steps=5, lr=0.05, hint=1.0, hold=("head",)),
    Stage("logits", steps=5, lr=0.05, soft=0.7),
    Stage("tune", steps=6, lr=0.03, hint=0.1, thaw=("bank",)),
]
