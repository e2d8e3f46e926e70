"""A small transformer language model with dataclass configuration from YAML."""
RUN = ["train.py", "--config", "configs/tiny.yaml"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "warm-up factor by integer division stays 0 during the whole (long) warm-up": {
        "kind": "warmup integer division",
        "edits": [("optim.py", "return (step + 1) / cfg.warmup_steps", "return step // cfg.warmup_steps  # <-- culprit"),
                  ("configs/tiny.yaml", "warmup_steps: 4", "warmup_steps: 20")],
        "expect": {"*": "blocked"}, "codes": set(),
        "culprit_note": "The integer division makes the factor 0 for every step below warmup_steps; true division would mend it.",
    },
    "no-decay filter looks for 'ln' and the bias rule was narrowed, so norm gains fall through": {
        "kind": "wrong name in param filter",
        "edits": [("optim.py", 'name.endswith(".bias") or "norm" in name:', 'name.endswith(".bias") or ".ln_" in name:  # <-- culprit'),
                  ("optim.py", 'elif name.endswith(".weight"):', 'elif name.endswith(".weight") and p.dim() >= 2:')],
        "expect": {"*norm_?.weight": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The norms are called norm_1/norm_2/norm_f; the name in the filter is what is wrong.",
    },
    "key learned_positions misspelt in the YAML, silently dropped, default False freezes wpe": {
        "kind": "config key misspelt",
        "edits": [("configs/tiny.yaml", "learned_positions: true", "learnt_positions: true  # <-- culprit")],
        "expect": {"wpe.weight": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The key in the YAML does not match the dataclass field.",
    },
    "blocks kept in a plain list": {
        "kind": "list instead of ModuleList",
        "edits": [("model.py", "self.blocks = nn.ModuleList([Block(cfg) for _ in range(cfg.n_layer)])",
                   "self.blocks = [Block(cfg) for _ in range(cfg.n_layer)]  # <-- culprit")],
        "expect": {"*blocks*": "unregistered", "*": "trained"}, "codes": set(),
        "culprit_note": "A plain list hides the blocks from parameters().",
    },
}
