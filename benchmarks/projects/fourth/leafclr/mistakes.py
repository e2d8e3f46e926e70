"""Contrastive leaves with a momentum copy and a key bank, settings from an env file."""
RUN = ["train.py"]
EXPECT = {"key.*": "frozen", "*": "trained"}
INTENT = ["key.*"]
MISTAKES = {
    "temperature wrapped in a new tensor": {
        "kind": "tensor wrapped anew",
        "edits": [("losses.py", "scale = log_scale.exp()", "scale = torch.tensor(float(log_scale)).exp()  # <-- culprit")],
        "expect": {"key.*": "frozen", "log_scale": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "torch.tensor() of a number is a constant; log_scale is out of the graph.",
    },
    "0 from the env file is true as text": {
        "kind": "flag read from text",
        "edits": [("settings.py", 'freeze_backbone=env["FREEZE_BACKBONE"] == "1",', 'freeze_backbone=bool(env["FREEZE_BACKBONE"]),  # <-- culprit')],
        "expect": {"key.*": "frozen", "backbone.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": 'bool("0") is True; the backbone gets frozen.',
    },
    "copied line uses the projector of the whole leaf for the crop": {
        "kind": "another module called",
        "edits": [("encoders.py", "return self.proj_whole(h_whole), self.proj_crop(h_crop), h_whole",
                   "return self.proj_whole(h_whole), self.proj_whole(h_crop), h_whole  # <-- culprit")],
        "expect": {"key.*": "frozen", "proj_crop.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "proj_crop is made and never called.",
    },
    "optimizer built before the probe is replaced": {
        "kind": "optimizer before replacement",
        "edits": [("train.py", "    model.attach_probe(len(SPECIES))\n    opt = optimizer_for(model, settings.lr)\n",
                   "    opt = optimizer_for(model, settings.lr)  # <-- culprit\n    model.attach_probe(len(SPECIES))\n")],
        "expect": {"key.*": "frozen", "probe.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The optimizer holds the old probe, the loss uses the new one.",
        "also": [("train.py", "model.attach_probe(len(SPECIES))")],
    },
}
