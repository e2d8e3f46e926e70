from dataclasses import dataclass, field


@dataclass
class DataOptions:
    images: int = 32
    size: int = 16
    batch: int = 8


@dataclass
class ModelOptions:
    base: int = 8
    classes: int = 3
    edge_head: bool = True


@dataclass
class LossOptions:
    edge: float = 0.5
    smooth: float = 1.0
    threshold: float = 0.5


@dataclass
class RunOptions:
    seed: int = 4
    epochs: int = 3
    lr: float = 0.01
    max_norm: float = 1.0
    log_every: int = 4


@dataclass
class Options:
    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    run: RunOptions = field(default_factory=RunOptions)
