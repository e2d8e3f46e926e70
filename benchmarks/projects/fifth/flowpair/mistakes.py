"""Recurrent optical flow trained by photometric loss (configparser, engine class)."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "key in the wrong section of the ini file, the fallback is used": {
        "kind": "config key in the wrong section, fallback 0",
        "edits": [("flow.ini", "feature_lr = 0.002\n\n[train]\n", "\n[train]\nfeature_lr = 0.002\n")],
        "culprits": [("flow.ini", 15)],
        "expect": {"fnet.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The engine reads it from [optim]; there it is missing and the learning rate falls back to 0.0.",
        "also": [("engine.py", 'feature_lr = cfg.getfloat("optim", "feature_lr", fallback=0.0)')],
    },
    "warping with nearest neighbour sampling": {
        "kind": "grid_sample nearest has no gradient to the grid",
        "edits": [("warp.py", 'return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)',
                   'return F.grid_sample(image, grid, mode="nearest", padding_mode="border", align_corners=True)  # <-- culprit')],
        "expect": {"gain_head.*": "trained", "*": "blocked"},
        "codes": set(),
        "culprit_note": "With mode='nearest' the gradient with respect to the grid, thus to the flow, is zero.",
    },
    "guard against non-finite gradients inverted": {
        "kind": "condition inverted, every step skipped",
        "edits": [("engine.py", "        if not torch.isfinite(norm):\n", "        if torch.isfinite(norm):  # <-- culprit\n")],
        "expect": {"*": "blocked"}, "nosteps": True,
        "codes": set(),
        "culprit_note": "The guard skips the finite gradients, optimizer.step() is never reached.",
    },
}
