"""CTC recogniser for bird calls, trainer of mixins with callbacks, TOML file."""
RUN = ["run.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "test of the gradual thaw the wrong way round": {
        "kind": "comparison reversed",
        "edits": [("callbacks.py", "is_open = i >= len(blocks) - opened", "is_open = i < len(blocks) - opened  # <-- culprit")],
        "expect": {"blocks.2.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The lower blocks are open first and closed later; the top block never opens.",
    },
    "callback method has a name that the trainer does not call": {
        "kind": "event name mismatch",
        "edits": [("callbacks.py", "def on_losses(self, trainer, batch, out, losses):", "def on_loss(self, trainer, batch, out, losses):  # <-- culprit")],
        "expect": {"tempo.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The trainer fires on_losses; the term is never added and the tempo layer never called.",
        "also": [("trainer.py", 'self.fire("on_losses", batch=batch, out=out, losses=losses)')],
    },
    "intermediate loss computed on the final output": {
        "kind": "criterion on wrong output",
        "edits": [("mixins.py", 'losses["inter"] = self.inter_weight * self.ctc_of(out["inter"], batch)',
                   'losses["inter"] = self.inter_weight * self.ctc_of(out["final"], batch)  # <-- culprit')],
        "expect": {"inter_head.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The output of the intermediate head gets no loss.",
    },
    "regions written with capitals, all clips fall to the padding row": {
        "kind": "lookup falls back to padding",
        "edits": [("conf.toml", 'regions = ["marsh", "heath"]', 'regions = ["Marsh", "Heath"]  # <-- culprit')],
        "expect": {"region.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The clips say marsh and heath; the lookup gives 0, and the padding row gets no gradient.",
        "also": [("model.py", "return torch.tensor([self.known.get(site, 0) for site in sites])")],
    },
}
