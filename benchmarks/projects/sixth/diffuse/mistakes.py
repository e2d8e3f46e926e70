"""Class-conditional diffusion of 2-d points, JSON configs."""
RUN = ["main.py", "base"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "label dropped always": {
        "kind": "condition drop probability one",
        "edits": [("configs/base.json", '"drop_label": 0.1', '"drop_label": 1.0')],
        "expect": {"label.table.weight": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "With probability 1 the null vector is chosen everywhere and the table gets a zero gradient.",
        "culprits": [("configs/base.json", 8)],
    },
    "accumulation longer than an epoch": {
        "kind": "accumulation count never reached",
        "edits": [("configs/base.json", '"accumulate": 2', '"accumulate": 16')],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "An epoch has eight micro-batches and each epoch starts a new Accumulator, so count never reaches 16 and step is never called.",
        "culprits": [("configs/base.json", 14)],
        "also": [("accelerator.py", "acc = Accumulator(self.optimizer, self.accumulate)"), ("configs/base.json", '"batch_size": 32,')],
    },
    "reentrant checkpoint around the stem": {
        "kind": "reentrant checkpoint of an input without grad",
        "edits": [("denoiser.py", 'checkpoint_opts or {"use_reentrant": False}\n', 'checkpoint_opts or {"use_reentrant": True}  # <-- culprit\n')],
        "expect": {"stem.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The reentrant variant gives an output with gradient only if an input has one; the noisy points have none.",
        "also": [("denoiser.py", "h = self._run(self.stem, x)")],
    },
}
