"""GAN on a ring of points: registries, JSON config, EMA and preview callbacks."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "sampling method of the mixin runs without gradient": {
        "kind": "no_grad decorator on a shared method",
        "edits": [("lab/nets.py", "    def sample(self, n):\n", "    @torch.no_grad()  # <-- culprit\n    def sample(self, n):\n")],
        "expect": {"generator.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "sample was decorated for previews, but the generator step draws its fakes with it too.",
        "also": [("lab/trainer.py", 'fake = self.model.generator.sample(self.cfg["batch"])')],
    },
    "both optimizers over the discriminator": {
        "kind": "copy-pasted optimizer over the other net",
        "edits": [("lab/optim.py", "    opt_g = OPTIMIZERS.build(name, model.generator.parameters(), **spec)\n",
                   "    opt_g = OPTIMIZERS.build(name, model.discriminator.parameters(), **spec)  # <-- culprit\n")],
        "expect": {"generator.*": "excluded", "*": "trained"},
        "codes": set(),
        "culprit_note": "The line was copied from the one above; opt_g holds the discriminator.",
    },
    "backup of the first preview is put back at every preview": {
        "kind": "ema restore from a stale backup",
        "edits": [("lab/callbacks.py", "            p.copy_(self.backup[n])\n        self.backup = {}\n",
                   "            p.copy_(self.backup[n])  # <-- culprit\n")],
        "expect": {"generator.*": "replaced", "*": "trained"},
        "codes": set(),
        "culprit_note": "The backup is filled once (before training) and never cleared, so each preview puts the initial weights back.",
        "also": [("lab/callbacks.py", "if not self.backup:")],
    },
}
