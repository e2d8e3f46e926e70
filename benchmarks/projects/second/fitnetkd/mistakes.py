"""Distillation with hint regressors, pruning hooks and a home-made loss scaler."""
RUN = ["kd_main.py", "cpu"]
EXPECT = {"teacher.*": "frozen", "*": "trained"}
INTENT = ["teacher.*"]
MISTAKES = {
    "initial loss scale overflows float32 and each step is skipped": {
        "kind": "non-finite, steps skipped",
        "edits": [("conf.py", "init_scale=2.0 ** 10,", "init_scale=2.0 ** 200,  # <-- culprit")],
        "expect": {"teacher.*": "frozen", "*": "blocked"}, "codes": set(), "nosteps": True, "nan": True,
        "culprit_note": "2**200 is beyond float32; halving it ten times does not help and the scaler skips every step.",
    },
    "student takes the teacher's stem itself, which is frozen with the teacher": {
        "kind": "missing deepcopy, shared module frozen",
        "edits": [("nets.py", "return StackNet(width, depth, stem=copy.deepcopy(teacher.stem))", "return StackNet(width, depth, stem=teacher.stem)  # <-- culprit")],
        "expect": {"teacher.*": "frozen", "student.stem.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "Without a copy both nets share the module and freezing the teacher freezes it.",
    },
    "regressors of the hints are not given to the optimizer": {
        "kind": "parameter not given to optimizer",
        "edits": [("kd_main.py", "trainable = list(pair.student.parameters()) + list(pair.regressors.parameters())", "trainable = list(pair.student.parameters())  # <-- culprit")],
        "expect": {"teacher.*": "frozen", "regressors.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The regressors' parameters belong in the list.",
    },
    "pruning threshold above each weight: masks are all zero, so the hooks wipe the gradients": {
        "kind": "hook returning zeros",
        "edits": [("conf.py", "prune_threshold=0.02,", "prune_threshold=2.0,  # <-- culprit")],
        "expect": {"teacher.*": "frozen", "student.units.*.weight": "blocked", "student.stem.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "No convolution weight is as large as 2, everything is masked.",
    },
}
