"""NeRF-like scene with coarse/fine fields and pose refinement; dotted home-made config."""
RUN = ["fit.py", "train.iters=10"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "second pass marches through the coarse field again": {
        "kind": "wrong variable used",
        "edits": [("render.py", "second, _ = march(scene.fine, scene, o, d, t_fine)", "second, _ = march(scene.coarse, scene, o, d, t_fine)  # <-- culprit")],
        "expect": {"fine.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Copy-paste: the fine field is never called.",
    },
    "near and far in another unit, all samples lie outside the bound": {
        "kind": "range mask excludes all",
        "edits": [("conf.py", '"scene": {"bound": 2.0, "near": 0.5, "far": 3.5, "views": 6},',
                   '"scene": {"bound": 2.0, "near": 50.0, "far": 350.0, "views": 6},  # <-- culprit')],
        "expect": {"background": "trained", "*": "blocked"}, "codes": set(),
        "culprit_note": "near/far are centimetres, the bound is metres: the inside mask is 0 everywhere.",
        "also": [("render.py", "inside = (p.abs() < scene.bound).all(-1).float()"), ("render.py", "sigma = sigma * inside")],
    },
    "split returns the held-out part first, and holds out view 0": {
        "kind": "tuple order swapped",
        "edits": [("rays.py", "return ids[:-1], ids[-1:]", "return ids[:1], ids[1:]  # <-- culprit")],
        "expect": {"pose_shift": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "Training gets view 0 only, whose pose is anchored.",
        "also": [("rays.py", "self.train_ids, self.eval_ids = split_views(n_views)")],
    },
    "coarse pass drawn into the no_grad block of the resampling": {
        "kind": "no_grad where not meant",
        "edits": [("render.py", "    first, w = march(scene.coarse, scene, o, d, t)\n    with torch.no_grad():\n",
                   "    with torch.no_grad():  # <-- culprit\n        first, w = march(scene.coarse, scene, o, d, t)  # <-- culprit\n")],
        "expect": {"coarse.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The coarse pass needs a gradient; only the resampling does not.",
    },
}
