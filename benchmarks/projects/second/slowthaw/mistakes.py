"""Text classifier with gradual unfreezing, discriminative rates and slanted triangles."""
RUN = ["ulm_run.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "thawing sets the attribute on the module, which does nothing": {
        "kind": "freeze never thawed",
        "edits": [("freezing.py", "def unfreeze(module: nn.Module):\n    for p in module.parameters():\n        p.requires_grad_(True)", "def unfreeze(module: nn.Module):\n    module.requires_grad = True  # <-- culprit")],
        "expect": {"classify.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "module.requires_grad is a plain attribute; requires_grad_() or a loop over the parameters is meant.",
    },
    "rates of the lower groups by integer division": {
        "kind": "integer division",
        "edits": [("rates.py", "return [top_lr / factor ** (n_groups - 1 - i) for i in range(n_groups)]", "return [top_lr * ((i + 1) // n_groups) for i in range(n_groups)]  # <-- culprit")],
        "expect": {"classify.*": "trained", "*": "blocked"}, "codes": set(),
        "culprit_note": "(i + 1) // n is 0 for all groups but the last.",
    },
    "last stage thaws only to -3: the embedding is never trained": {
        "kind": "freeze never thawed",
        "edits": [("ulm_run.py", "STAGES = [(-1, 1), (-2, 1), (0, 2)]", "STAGES = [(-1, 1), (-2, 1), (-3, 2)]  # <-- culprit")],
        "expect": {"embed.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "There are four groups; -3 leaves the lowest one frozen.",
    },
    "list of rates is zipped one short, top group keeps a rate of 0": {
        "kind": "zip truncation",
        "edits": [("rates.py", "for group, lr in zip(optimizer.param_groups, base_rates):", "for group, lr in zip(optimizer.param_groups, base_rates[:-1]):  # <-- culprit"),
                  ("learner.py", "for g in self.groups], lr=lr)", "for g in self.groups], lr=0.0)")],
        "expect": {"classify.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The last group is never given a rate.",
    },
}
