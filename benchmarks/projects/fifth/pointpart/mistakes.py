"""Part segmentation of point clouds (package with OpenMMLab-like registries, mixins, JSON config)."""
RUN = ["-m", "pointpart.tools", "parts.json"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "mixin's losses() does not call super()": {
        "kind": "mixin method without super()",
        "edits": [("pointpart/segmenter.py", "        terms = super().losses(out, batch)\n", "        terms = {}  # <-- culprit\n")],
        "expect": {"*part_head.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The mixin comes first in the MRO; without super() the base class's part loss is lost.",
    },
    "backbone gets the raw points instead of the aligned ones": {
        "kind": "wrong variable used",
        "edits": [("pointpart/segmenter.py", "        feats = self.backbone(aligned)\n", "        feats = self.backbone(points)  # <-- culprit\n")],
        "expect": {"*align.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The aligned cloud is computed and not used.",
    },
    "groups made from the names of the DataParallel wrapper": {
        "kind": "name prefix 'module.' defeats the learning-rate table",
        "edits": [("pointpart/tools.py", '    optimizer = torch.optim.Adam(layer_groups(model.named_parameters(), cfg["lr"], cfg["lr_scale"]))\n    parallel = nn.DataParallel(model)\n',
                   '    parallel = nn.DataParallel(model)\n    optimizer = torch.optim.Adam(layer_groups(parallel.named_parameters(), cfg["lr"], cfg["lr_scale"]))  # <-- culprit\n')],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "All names start with 'module.', which is not in lr_scale, so the one group gets lr 0.",
        "also": [("pointpart/build.py", 'parts.setdefault(name.split(".")[0], []).append(p)'),
                 ("pointpart/build.py", 'return [{"params": ps, "lr": lr * scales.get(part, 0.0)} for part, ps in parts.items()]'),
                 ("pointpart/tools.py", "parallel = nn.DataParallel(model)")],
    },
}
