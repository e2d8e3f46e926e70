"""Two-view self-supervised learning with an EMA target branch; JSON configuration."""
RUN = ["-m", "selfview.train", "conf.json"]
EXPECT = {"target.*": "frozen", "*": "trained"}
INTENT = ["target.*"]
MOVED = ["target.*"]
MISTAKES = {
    "result of the predictor is ignored": {
        "kind": "return value ignored",
        "edits": [("selfview/learner.py", "        p = self.predictor(z)\n", "        p = z\n        self.predictor(p)  # <-- culprit\n")],
        "expect": {"target.*": "frozen", "predictor.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The predictor's output is thrown away; the loss is taken on z.",
        "also": [("selfview/learner.py", "p = z")],
    },
    "freeze pattern lost its anchor and dot and so matches the online projector too": {
        "kind": "freeze pattern too wide",
        "edits": [("conf.json", '"frozen": ["^target\\\\."]', '"frozen": ["target|proj"]')],
        "culprits": [("conf.json", 10)],
        "expect": {"target.*": "frozen", "online.projector.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The pattern in the configuration freezes more than the target branch.",
    },
    "no_grad block covers the online branch as well": {
        "kind": "no_grad where not meant",
        "edits": [("selfview/learner.py", "        z = self.online(view_a)\n        p = self.predictor(z)\n        with torch.no_grad():\n            t = self.target(view_b)\n",
                   "        with torch.no_grad():  # <-- culprit\n            z = self.online(view_a)\n            t = self.target(view_b)\n        p = self.predictor(z)\n")],
        "expect": {"target.*": "frozen", "online.*": "unreachable", "*": "trained"}, "codes": set(),
        "also": [("selfview/learner.py", "z = self.online(view_a)")],
        "culprit_note": "The online pass must stand outside the no_grad block.",
    },
    "online branch is re-made from the target (deepcopy) after the optimizer was built": {
        "kind": "model part replaced after optimizer",
        "edits": [("selfview/learner.py", "    @torch.no_grad()\n    def update_target", "    def sync_branches(self):\n        self.online = copy.deepcopy(self.target).requires_grad_(True)  # <-- culprit\n\n    @torch.no_grad()\n    def update_target"),
                  ("selfview/train.py", '    for i, (a, b) in enumerate', '    learner.sync_branches()\n    for i, (a, b) in enumerate')],
        "expect": {"target.*": "frozen", "online.*": "stale", "*": "trained"}, "codes": set(),
        "also": [("selfview/train.py", "learner.sync_branches()"), ("selfview/train.py", 'optimizer = make_optimizer(learner, cfg["optimizer"])')],
        "culprit_note": "The replacement makes new Parameters the optimizer does not hold; load the state in place or sync before the optimizer is made.",
    },
}
