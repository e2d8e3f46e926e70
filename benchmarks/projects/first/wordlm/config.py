"""Typed configuration, read from YAML files."""
from dataclasses import dataclass, field, fields

import yaml


@dataclass
class ModelConfig:
    vocab_size: int = 64
    block_size: int = 16
    n_embd: int = 32
    n_head: int = 4
    n_layer: int = 2
    dropout: float = 0.0
    learned_positions: bool = False


@dataclass
class OptimConfig:
    lr: float = 1e-3
    betas: tuple = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup_steps: int = 10
    total_steps: int = 100
    min_lr_ratio: float = 0.1


@dataclass
class DataConfig:
    batch_size: int = 8
    n_tokens: int = 1000


@dataclass
class Config:
    run_name: str = "default"
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    data: DataConfig = field(default_factory=DataConfig)


def _fill(cls, tree):
    known = {f.name for f in fields(cls)}
    return cls(**{k: v for k, v in (tree or {}).items() if k in known})


def load_config(path):
    with open(path) as f:
        tree = yaml.safe_load(f)
    return Config(
        run_name=tree.get("run_name", "default"),
        seed=tree.get("seed", 0),
        model=_fill(ModelConfig, tree.get("model")),
        optim=_fill(OptimConfig, tree.get("optim")),
        data=_fill(DataConfig, tree.get("data")),
    )
