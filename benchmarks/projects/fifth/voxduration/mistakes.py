"""Text-to-speech acoustic model with duration, pitch and energy predictors (YAML config, registry, trainer class)."""
RUN = ["train.py", "config.yaml"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "a second 'loss' section in the YAML replaces the first": {
        "kind": "YAML duplicate key, the last one wins",
        "edits": [("config.yaml", "  warmup: 40\n", "  warmup: 40\nloss:\n  mel: 1.0\n  duration: 1.0\n")],
        "culprits": [("config.yaml", 25)],
        "expect": {"adaptor.predictors.pitch.*": "blocked", "adaptor.predictors.energy.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "PyYAML keeps only the last 'loss' mapping, so pitch and energy get the default weight 0.0.",
    },
    "predicted durations rounded to frames before the loss": {
        "kind": "non-differentiable op (round)",
        "edits": [("acoustic.py", '        pred["duration"] = F.softplus(pred["duration"])\n',
                   '        pred["duration"] = F.softplus(pred["duration"]).round()  # <-- culprit\n')],
        "expect": {"adaptor.predictors.duration.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "round() has derivative zero everywhere; the duration loss cannot reach the predictor.",
    },
    "warm-up ramp with integer division": {
        "kind": "learning rate zero by integer division",
        "edits": [("trainer.py", "return lambda step: min(1.0, (step + 1) / warmup)",
                   "return lambda step: min(1.0, (step + 1) // warmup)  # <-- culprit")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "The factor is 0 for all steps before the end of the warm-up (40), the run has 12 steps.",
    },
}
