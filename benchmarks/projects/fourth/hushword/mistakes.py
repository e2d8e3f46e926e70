"""Distillation of a keyword net in stages with freezing and thawing."""
RUN = ["run.py"]
EXPECT = {"teacher.*": "frozen", "*": "trained"}
INTENT = ["teacher.*"]
MISTAKES = {
    "context manager notes the flags after it has cleared them": {
        "kind": "flags restored wrongly",
        "edits": [("freeze.py", "    flags = [p.requires_grad for p in params]\n    for p in params:\n        p.requires_grad = False\n",
                   "    for p in params:\n        p.requires_grad = False\n    flags = [p.requires_grad for p in params]  # <-- culprit\n")],
        "expect": {"teacher.*": "frozen", "student.head.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "All noted flags are False, so the head stays frozen after the hint stage.",
    },
    "flag set on the module and not on its parameters": {
        "kind": "flag set on module",
        "edits": [("freeze.py", "    for p in module.parameters():\n        p.requires_grad = True\n", "    module.requires_grad = True  # <-- culprit\n")],
        "expect": {"teacher.*": "frozen", "student.bank.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "This makes a new attribute of the module; the parameters keep False.",
    },
    "student's features computed inside the teacher's no_grad block": {
        "kind": "no_grad block too wide",
        "edits": [("nets.py", "        s_feat = self.student.features(x)\n", "            s_feat = self.student.features(x)  # <-- culprit\n")],
        "expect": {"teacher.*": "frozen", "student.bank.*": "unreachable", "student.body.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "One indent too many; the student's features have no graph.",
    },
    "generator of parameters used up by the count": {
        "kind": "generator used up",
        "edits": [("run.py", 'slow = [p for n, p in student.named_parameters() if not n.startswith("head")]',
                   'slow = (p for n, p in student.named_parameters() if not n.startswith("head"))  # <-- culprit')],
        "expect": {"teacher.*": "frozen", "student.bank.*": "excluded", "student.body.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The sum in the print consumes the generator; the optimizer gets an empty group.",
        "also": [("run.py", "sum(p.numel() for p in slow)")],
    },
}
