import json
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class FoldSettings:
    seq_dim: int = 12
    pair_dim: int = 8
    blocks: int = 1
    recycles: int = 0
    max_offset: int = 6
    lr: float = 1e-3
    weight_decay: float = 1e-2
    ss_weight: float = 0.0
    steps: int = 20
    seed: int = 4

    @classmethod
    def preset(cls, name, path="presets.json"):
        with open(path) as f:
            values = json.load(f)[name]
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in known})
