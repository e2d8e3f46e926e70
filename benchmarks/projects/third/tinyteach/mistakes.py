"""Distillation with a projector; decorator-made sub-commands, layer-wise rates, loss scaling."""
RUN = ["cli.py", "train", "--steps", "8"]
EXPECT = {"teacher.*": "frozen", "*": "trained"}
INTENT = ["teacher.*"]
MISTAKES = {
    "student takes the teacher's stem itself instead of its weights": {
        "kind": "shared parameters frozen",
        "edits": [("zoo.py", "net.stem.load_state_dict(like.stem.state_dict())", "net.stem = like.stem  # <-- culprit")],
        "expect": {"student.stem.*": "frozen", "teacher.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The module is shared, so freezing the teacher freezes the student's stem.",
        "also": [("distill.py", "self.teacher.requires_grad_(False)")],
    },
    "projector made lazily in the first call, after the optimizer": {
        "kind": "lazy creation after optimizer",
        "edits": [("distill.py", "self.projector = nn.Linear(self.student.head.in_features, teacher.head.in_features)", "self.projector = None"),
                  ("distill.py", "        return F.mse_loss(self.projector(f_student), f_teacher)",
                   "        if self.projector is None:\n            self.projector = nn.Linear(f_student.shape[-1], f_teacher.shape[-1])  # <-- culprit\n        return F.mse_loss(self.projector(f_student), f_teacher)")],
        "expect": {"projector.*": "excluded", "teacher.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "When the optimizer is built the projector does not exist yet.",
        "also": [("distill.py", "self.projector = None"), ("cli.py", "opt = layerwise.build(net)")],
    },
    "overflow test inverted, each finite step is skipped": {
        "kind": "inverted condition",
        "edits": [("scaling.py", "overflow = not all(torch.isfinite(g).all() for g in grads)", "overflow = all(torch.isfinite(g).all() for g in grads)  # <-- culprit")],
        "expect": {"teacher.*": "frozen", "*": "blocked"}, "codes": set(), "nosteps": True,
        "culprit_note": "Finite gradients count as overflow; the optimizer never steps.",
        "also": [("scaling.py", "if overflow:")],
    },
    "one rate too few, zip drops the last prefix": {
        "kind": "zip truncates",
        "edits": [("layerwise.py", "for prefix, lr in zip(ORDER, rates(base, factor, len(ORDER))):",
                   "for prefix, lr in zip(ORDER, rates(base, factor, len(ORDER) - 1)):  # <-- culprit")],
        "expect": {"projector.*": "excluded", "teacher.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "zip stops at the shorter sequence; the projector gets no group.",
    },
}
