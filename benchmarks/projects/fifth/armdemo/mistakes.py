"""Robot arm policy cloned from demonstrations (Hydra-like YAML, plugins, registry of objectives)."""
RUN = ["train.py"]
EXPECT = {"vision.stem.*": "frozen", "*": "trained"}
INTENT = ["vision.stem.*"]
MISTAKES = {
    "two objectives registered under one name": {
        "kind": "registry entry replaced by a duplicate name",
        "edits": [("objectives.py", '@OBJECTIVES.register("gripper")\n', '@OBJECTIVES.register("arm")  # <-- culprit\n')],
        "expect": {"vision.stem.*": "frozen", "arm_head.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The gripper loss takes the name 'arm' and replaces the joint loss in the registry.",
    },
    "freeze is a string where a list is expected": {
        "kind": "YAML scalar iterated by character",
        "edits": [("policy.yaml", "freeze:\n  - vision.stem\n", "freeze: vision.stem\n")],
        "culprits": [("policy.yaml", 14)],
        "expect": {"vision.*": "frozen", "instruction.*": "frozen", "trunk.*": "frozen", "*": "trained"},
        "codes": set(),
        "culprit_note": "Its letters become the prefixes: all that starts with v, i, s, o, n, t, e or m is frozen.",
        "also": [("train.py", "if any(name.startswith(prefix) for prefix in prefixes):"), ("train.py", 'freeze(policy, cfg["freeze"])')],
    },
    "generator of parameters consumed by the print before the optimizer": {
        "kind": "generator exhausted",
        "edits": [("train.py", '    vision = [p for n, p in policy.named_parameters() if n.startswith("vision.")]\n',
                   '    vision = (p for n, p in policy.named_parameters() if n.startswith("vision."))  # <-- culprit\n')],
        "expect": {"vision.stem.*": "frozen", "vision.body.*": "excluded", "*": "trained"},
        "codes": set(),
        "culprit_note": "The count of the weights runs the generator to its end, the optimizer's group is empty.",
        "also": [("train.py", 'print("vision weights:", sum(p.numel() for p in vision))')],
    },
}
