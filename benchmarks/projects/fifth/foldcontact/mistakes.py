"""Protein contact maps with triangle updates and recycling (package, dataclass presets, optimizer mixin)."""
RUN = ["-m", "foldcontact.cli", "--preset", "tiny"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "dataclass field without its annotation": {
        "kind": "dataclass attribute without annotation is no field",
        "edits": [("foldcontact/settings.py", "    ss_weight: float = 0.0\n", "    ss_weight = 0.0  # <-- culprit\n")],
        "expect": {"ss_head.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "Without annotation it is a class attribute, fields() does not know it and the preset's 0.4 is dropped.",
    },
    "recycling loop one round short, gradients are on only in the last": {
        "kind": "off by one: the pass with gradients never comes",
        "edits": [("foldcontact/model.py", "        for cycle in range(self.cfg.recycles + 1):\n",
                   "        for cycle in range(self.cfg.recycles):  # <-- culprit\n")],
        "expect": {"contact_head.*": "trained", "ss_head.*": "trained", "residue.*": "trained", "smooth.*": "trained", "*": "unreachable"},
        "codes": set(),
        "culprit_note": "Gradients are enabled only when cycle == recycles; the loop ends at recycles - 1.",
        "also": [("foldcontact/model.py", "with torch.set_grad_enabled(cycle == self.cfg.recycles):")],
    },
    "white list of module types lacks the offset table": {
        "kind": "optimizer groups by module type miss a parameter",
        "edits": [("foldcontact/optim.py", "    undecayed = (nn.LayerNorm, nn.Embedding, RelativeOffset)\n",
                   "    undecayed = (nn.LayerNorm, nn.Embedding)  # <-- culprit\n")],
        "expect": {"offset.table": "excluded", "*": "trained"},
        "codes": set(),
        "culprit_note": "A raw parameter of a type in neither tuple falls out of both groups.",
        "also": [("foldcontact/optim.py", 'elif isinstance(module, self.undecayed) or name == "bias":')],
    },
}
