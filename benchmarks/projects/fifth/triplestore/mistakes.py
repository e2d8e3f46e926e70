"""Knowledge graph embedding with a scorer registry, JSON config and an optimizer for each part."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "config key misspelt, the code's default is used": {
        "kind": "misspelt key silently ignored",
        "edits": [("config.json", '    "both_directions": true,\n', '    "both_direction": true,\n')],
        "culprits": [("config.json", 9)],
        "expect": {"inverses.weight": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The code reads 'both_directions' and falls back to False, so inverse relations are never scored.",
        "also": [("train.py", 'if opts.get("both_directions", False):')],
    },
    "sign of the margin in the hinge": {
        "kind": "hinge clamped to zero everywhere",
        "edits": [("model.py", "return F.relu(margin - pos + neg).mean()",
                   "return F.relu(neg - pos - margin).mean()  # <-- culprit")],
        "expect": {"relations.weight": "blocked", "inverses.weight": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "neg - pos is much smaller than the margin of 2, so relu gives 0 for all pairs; the margin must be added.",
    },
    "return inside the loop over optimizers": {
        "kind": "return inside the loop, second optimizer never stepped",
        "edits": [("optimizers.py", "            opt.step()\n        self.steps += 1\n        return self.steps\n",
                   "            opt.step()\n            self.steps += 1\n            return self.steps  # <-- culprit\n")],
        "expect": {"typing.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The method returns after the first optimizer; the one of the network is never stepped.",
        "also": [("optimizers.py", "self.steps += 1")],
    },
}
