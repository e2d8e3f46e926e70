"""One-stage anchor detector in the style of config-file toolboxes (python config, registry, loss dicts)."""
RUN = ["tools_train.py", "det_config.py"]
EXPECT = {"backbone.stages.0.*": "frozen", "*": "trained"}
INTENT = ["backbone.stages.0.*"]
MISTAKES = {
    "IoU threshold given in percent: no anchor is ever positive": {
        "kind": "config value makes empty selection",
        "edits": [("det_config.py", "        pos_iou=0.35,", "        pos_iou=35,  # <-- culprit")],
        "expect": {"backbone.stages.0.*": "frozen", "head.reg.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "IoU is at most 1; no positive anchors, so the box loss is an empty sum.",
    },
    "box loss returned under a key without 'loss' in it": {
        "kind": "loss terms dropped",
        "edits": [("det/heads.py", '"loss_box": torch.stack(reg_terms).sum() / max(npos, 1),', '"reg_box": torch.stack(reg_terms).sum() / max(npos, 1),  # <-- culprit')],
        "expect": {"backbone.stages.0.*": "frozen", "head.reg.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "parse_losses only sums keys with 'loss' in them.",
        "also": [("det/builder.py", 'total = sum(v for k, v in losses.items() if "loss" in k)')],
    },
    "every level goes through the first smoothing convolution": {
        "kind": "wrong index",
        "edits": [("det/neck.py", "return [conv(f) for conv, f in zip(self.smooth, lat)]", "return [self.smooth[0](f) for f in lat]  # <-- culprit")],
        "expect": {"backbone.stages.0.*": "frozen", "neck.smooth.1.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "smooth[1] is never used.",
    },
    "comparison in the stage freezing is the wrong way round": {
        "kind": "wrong sign condition",
        "edits": [("det/backbone.py", "if i < self.frozen_stages:", "if i >= self.frozen_stages:  # <-- culprit")],
        "expect": {"backbone.stages.0.*": "trained", "backbone.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The first stages ought to be frozen, not all but the first.",
    },
}
