from dataclasses import dataclass


@dataclass(frozen=True)
class MetaOptions:
    hidden: int = 16
    inner_steps: int = 2
    inner_lr: float = 0.05
    learn_inner_lr: bool = True
    first_order: bool = False
    outer_lr: float = 3e-3
    tasks_per_batch: int = 3
    shots: int = 6
    iterations: int = 10
    seed: int = 21


QUICK = MetaOptions()
FIRST_ORDER = MetaOptions(first_order=True, inner_steps=1)

PRESETS = {"quick": QUICK, "fo": FIRST_ORDER}
