"""Metric learning with triplets and learned proxies; a script with globals and gradient hooks."""
RUN = ["go.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "proxies are made on the first call, after the optimizer asked for the parameters": {
        "kind": "lazy parameter after optimizer",
        "edits": [("metriclosses.py", "        self.proxies = nn.Parameter(torch.randn(N_ID, DIM))\n\n    def forward(self, e, ids):\n", "        self.proxies = None\n\n    def forward(self, e, ids):\n        if self.proxies is None:\n            self.proxies = nn.Parameter(torch.randn(N_ID, e.size(1)))  # <-- culprit\n")],
        "expect": {"*proxies": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The Parameter comes into being too late for crit.parameters(); make it in __init__.",
        "also": [("metriclosses.py", "self.proxies = None"), ("go.py", 'opt.add_param_group({"params": list(crit.parameters())})')],
    },
    "gradient ramp of the hook by integer division, with a long warm-up": {
        "kind": "hook returning zeros",
        "edits": [("common.py", "WARM = 3", "WARM = 50"), ("gradtools.py", 'return min(1.0, (state["it"] + 1) / WARM)', 'return min(1, (state["it"] + 1) // WARM)  # <-- culprit')],
        "expect": {"tap.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The hook multiplies by 0 as long as it + 1 is below WARM.",
    },
    "step stands in the branch that only logs, and the branch is shut by QUIET": {
        "kind": "step in wrong branch",
        "edits": [("go.py", "    set_lr(opt, LR)\n    opt.step()\n", "    set_lr(opt, LR)\n"),
                  ("go.py", "    if it % LOG_EVERY == 0 and not QUIET:\n", "    if it % LOG_EVERY == 0 and not QUIET:\n        opt.step()  # <-- culprit\n")],
        "expect": {"*": "blocked"}, "codes": set(), "nosteps": True,
        "culprit_note": "opt.step() must be called in every iteration.",
        "also": [("go.py", "if it % LOG_EVERY == 0 and not QUIET:"), ("go.py", "set_lr(opt, LR)")],
    },
    "weight of the identity term is 0": {
        "kind": "weight 0",
        "edits": [("metriclosses.py", 'self.w = {"id": 0.5, "triplet": 1.0, "proxy": 0.5}', 'self.w = {"id": 0.0, "triplet": 1.0, "proxy": 0.5}  # <-- culprit')],
        "expect": {"id_head.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The term of the identity head is multiplied by 0.",
    },
}
