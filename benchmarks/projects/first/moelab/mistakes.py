"""Mixture of experts with hard top-1 routing; nested dict configuration with overrides."""
RUN = ["experiment.py", "tight"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "loss keys in the config tree renamed, so both auxiliary weights default to 0": {
        "kind": "config key misspelt",
        "edits": [("defaults.py", '"loss": {"balance": 0.05, "z": 0.001},', '"loss": {"load_balance": 0.05, "z_loss": 0.001},  # <-- culprit'),
                  ("defaults.py", ', "loss": {"z": 0.002}', ', "loss": {"z_loss": 0.002}')],
        "expect": {"*router*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "combine() asks for 'balance' and 'z'; the weights in the config bear other names and 0.0 is taken.",
        "also": [("network.py", "w = weights.get(key, 0.0)")],
    },
    "experts in a plain dict": {
        "kind": "list instead of ModuleList",
        "edits": [("layers.py", 'self.experts = nn.ModuleDict({f"e{i}": ffn(dim, cfg["hidden"]) for i in range(self.n)})',
                   'self.experts = {f"e{i}": ffn(dim, cfg["hidden"]) for i in range(self.n)}  # <-- culprit')],
        "expect": {"*experts*": "unregistered", "*": "trained"}, "codes": set(),
        "culprit_note": "A plain dict of modules is not registered.",
    },
    "capacity factor of the experiment far too small: floor gives 0 tokens per expert": {
        "kind": "config value makes empty selection",
        "edits": [("defaults.py", '"tight": {"model": {"moe": {"capacity_factor": 1.5}},', '"tight": {"model": {"moe": {"capacity_factor": 0.1}},  # <-- culprit\n             ')],
        "expect": {"*experts*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "0.1 * 24 / 3 is below 1 and is floored to 0, each expert sees an empty batch.",
        "also": [("layers.py", "return math.floor(self.capacity_factor * tokens / self.n)")],
    },
    "model does not hand the auxiliary terms on": {
        "kind": "loss terms dropped",
        "edits": [("network.py", "            h, aux = layer(h)\n            for k, v in aux.items():\n                total[k] = total.get(k, 0.0) + v\n",
                   "            h, _ = layer(h)  # <-- culprit\n")],
        "expect": {"*router*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The router is trained by the auxiliary terms only, and they are thrown away here.",
        "also": [("network.py", "return self.out(h), total"), ("network.py", "total = {}")],
    },
}
