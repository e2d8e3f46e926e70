from dataclasses import dataclass, field, fields


@dataclass
class Options:
    lr: float = 0.005
    steps: int = 12
    width: int = 12
    depth: int = 2
    seed: int = 7
    bond_weight: float = 0.2
    heads: dict = field(default_factory=lambda: {
        "toxicity": "mlp",
        "solubility": "linear",
        "clearance": "mlp",
    })
    losses: dict = field(default_factory=lambda: {
        "toxicity": "focal",
        "solubility": "huber",
        "clearance": "mse",
    })

    @classmethod
    def from_words(cls, words: list[str]) -> "Options":
        """["lr=0.1", "depth=3"] -> Options"""
        opts = cls()
        kinds = {f.name: type(getattr(opts, f.name)) for f in fields(cls)}
        for word in words:
            key, _, text = word.partition("=")
            setattr(opts, key, kinds[key](text))
        return opts
