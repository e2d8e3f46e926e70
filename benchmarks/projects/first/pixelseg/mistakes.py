"""Segmentation with registry, YAML, auxiliary head, frozen stem and per-module learning rates."""
RUN = ["train_seg.py", "cfg/base.yaml"]
EXPECT = {"stem.*": "frozen", "*": "trained"}
INTENT = ["stem.*"]
MISTAKES = {
    "label remap compares with <= instead of ==: every labelled pixel is ignored": {
        "kind": "loss masked everywhere",
        "edits": [("seg/dataset.py", "return torch.where(y == void_label, IGNORE, y)", "return torch.where(y <= void_label, IGNORE, y)  # <-- culprit")],
        "expect": {"stem.*": "frozen", "*": "blocked"}, "codes": set(),
        "culprit_note": "The remap turns all pixels to the ignored label.",
    },
    "weight of the auxiliary loss under a wrong key": {
        "kind": "config key misspelt",
        "edits": [("cfg/base.yaml", "- {type: pixel_ce, name: aux, weight: 0.4}", "- {type: pixel_ce, name: aux, loss_weight: 0.4}  # <-- culprit"),
                  ("seg/losses.py", "def __init__(self, name, weight=0.0):", "def __init__(self, name, weight=0.0, **unused):")],
        "expect": {"stem.*": "frozen", "aux.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The class wants `weight`; the other key is swallowed and the weight stays 0.",
        "also": [("seg/losses.py", "def __init__(self, name, weight=0.0, **unused):")],
    },
    "norm freezing walks over the whole model and freezes each one's parent too": {
        "kind": "freeze pattern too wide",
        "edits": [("seg/optim.py", "        for m in model.stem.modules():\n            if isinstance(m, nn.BatchNorm2d):\n                m.eval()",
                   "        for m in model.modules():\n            if any(isinstance(c, nn.BatchNorm2d) for c in m.children()):  # <-- culprit\n                m.eval().requires_grad_(False)")],
        "expect": {"stem.*": "frozen", "encoder.*": "frozen", "decoder.fuse.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The test hits the blocks that contain a norm rather than the norms.",
        "also": [("seg/optim.py", "m.eval().requires_grad_(False)"), ("seg/optim.py", "for m in model.modules():")],
    },
    "lr multiplier of the encoder is 0 in the YAML": {
        "kind": "lr 0 in config",
        "edits": [("cfg/base.yaml", "lr_mult: {encoder: 0.5, decoder: 1.0}", "lr_mult: {encoder: 0.0, decoder: 1.0}  # <-- culprit")],
        "expect": {"stem.*": "frozen", "encoder.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "lr * 0 for the encoder's group.",
    },
}
