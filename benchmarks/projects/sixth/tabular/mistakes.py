"""Tabular regression with column tokens, gates and gradual unfreezing by a callback."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "the backbone would be released after the last epoch": {
        "kind": "unfreeze epoch never reached",
        "edits": [("cli.py", '"--unfreeze-at", type=int, default=2, help="epoch from which the backbone trains too")\n',
                   '"--unfreeze-at", type=int, default=5, help="epoch from which the backbone trains too")  # <-- culprit\n')],
        "expect": {"backbone.*": "frozen", "*": "trained"},
        "codes": set(),
        "culprit_note": "Epochs count from 0 to 4, so epoch 5 never comes and the backbone stays frozen.",
        "also": [("cli.py", 'ap.add_argument("--epochs", type=int, default=5)'), ("callbacks.py", "if epoch == self.at:")],
    },
    "optimizer takes what requires grad when fit starts": {
        "kind": "requires_grad filter before the unfreezing",
        "edits": [("learner.py", "        m, a = self.model, self.args\n        return torch.optim.Adam([\n            {\"params\": list(m.backbone.parameters()), \"lr\": a.backbone_lr},\n            {\"params\": [*m.gate.parameters(), *m.head.parameters()], \"lr\": a.head_lr},\n        ])\n",
                   "        m, a = self.model, self.args\n        lrs = {\"backbone\": a.backbone_lr, \"gate\": a.head_lr, \"head\": a.head_lr}\n        groups = [{\"params\": [p], \"lr\": lrs[n.split(\".\")[0]]} for n, p in m.named_parameters() if p.requires_grad]  # <-- culprit\n        return torch.optim.Adam(groups)\n"),
                  ("callbacks.py", "            learner.model.backbone.requires_grad_(True)\n", "            learner.model.backbone.requires_grad_(True)  # <-- culprit\n")],
        "expect": {"backbone.*": "excluded", "*": "trained"},
        "codes": set(),
        "culprit_note": "The backbone is frozen while the optimizer is built; when it is released later no group takes it up.",
    },
    "gate starts above its clamp": {
        "kind": "clamped parameter initialised outside the range",
        "edits": [("cli.py", '    ap.add_argument("--gate-init", type=float, default=0.5)\n', '    ap.add_argument("--gate-init", type=float, default=1.5)  # <-- culprit\n')],
        "expect": {"gate.level": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "Above 1 the clamp is flat, its gradient is exactly zero and the gate stays at 1.5.",
        "also": [("model.py", "return tokens * self.level.clamp(0.0, 1.0)")],
    },
}
