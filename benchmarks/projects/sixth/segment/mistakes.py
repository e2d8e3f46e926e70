"""U-Net with an edge head; engine with prioritised hooks, nested dataclass options."""
RUN = ["tools_train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "helper hands the thresholded map out first": {
        "kind": "thresholded prediction in the loss",
        "edits": [("losses.py", "    return p, (p > threshold).float()\n", "    return (p > threshold).float(), p  # <-- culprit\n")],
        "expect": {"edge.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The caller unpacks soft, hard; with the order swapped the dice loss is computed on the binary map, which has no gradient.",
        "also": [("losses.py", 'soft, hard = probabilities(out["edge"], self.opt.threshold)')],
    },
    "max_norm zero meant as no clipping": {
        "kind": "clip norm zero",
        "edits": [("options.py", "    max_norm: float = 1.0\n", "    max_norm: float = 0.0  # <-- culprit\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "clip_grad_norm_ scales every gradient to norm 0 when max_norm is 0.",
        "also": [("engine/hooks.py", "torch.nn.utils.clip_grad_norm_(engine.model.parameters(), self.max_norm)")],
    },
    "zero-grad hook runs before the step hook": {
        "kind": "hook priority clears gradients before the step",
        "edits": [("engine/hooks.py", "    priority = 70\n", "    priority = 40  # <-- culprit\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "Hooks run in ascending priority, 40 comes before the 60 of StepHook, so step finds no gradients.",
        "also": [("engine/hooks.py", "priority = 60")],
    },
}
