"""Customer model with three task heads, TOML config."""
RUN = ["train.py", "exp.toml"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "segment task has weight zero in the config": {
        "kind": "task weight zero",
        "edits": [("exp.toml", "classes = 4\nweight = 0.5\n", "classes = 4\nweight = 0.0  # <-- culprit\n")],
        "expect": {"heads.segment.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The loss of the task is multiplied by 0.0.",
    },
    "label column entirely missing makes the mean nan": {
        "kind": "nan loss skipped by a guard",
        "edits": [("exp.toml", "missing = 0.2\n", "missing = 1.0  # <-- culprit\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "Every class label is the ignored index, cross_entropy averages over nothing and is NaN, and the guard skips each step.",
        "also": [("tasks.py", "return F.cross_entropy(out, target, ignore_index=ignore_index)")],
    },
    "heads in a plain dict": {
        "kind": "modules in a plain container",
        "edits": [("net.py", "    return nn.ModuleDict({t.name: nn.Linear(width, t.classes) for t in tasks})\n",
                   "    return {t.name: nn.Linear(width, t.classes) for t in tasks}  # <-- culprit\n")],
        "expect": {"heads.*": "unregistered", "*": "trained"},
        "codes": set(),
        "culprit_note": "build_heads returns a dict, so the heads are no children of the net and Adam never sees them.",
        "also": [("net.py", "self.heads = build_heads(tasks, width)")],
    },
}
