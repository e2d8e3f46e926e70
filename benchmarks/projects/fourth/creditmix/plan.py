from dataclasses import dataclass


@dataclass
class Plan:
    batches: int = 24
    accumulate: int = 2
    experts: int = 4
    hidden: int = 8
    lr: float = 0.05
    gate_lr: float = 0.03
    warmup: int = 4  # optimizer steps
    grow_every: int = 3  # optimizer steps until one expert more joins
    momentum: float = 0.8
    seed: int = 33

    def joined(self, step: int) -> int:
        return min(self.experts, 1 + step // self.grow_every)
