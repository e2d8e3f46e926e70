"""Two-tower recommender in enterprise layers (repository, factories, service)."""
RUN = ["app.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "return inside the loop: only the first optimizer of the composite steps": {
        "kind": "early return in loop",
        "edits": [("factories.py", "            done += 1\n        return done\n", "            done += 1\n            return done  # <-- culprit\n")],
        "expect": {"*.tables.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The return is indented one level too deep; Adagrad for the tables never steps.",
    },
    "ceiling of the log scale lies under its initial value": {
        "kind": "clamp outside range",
        "edits": [("policy.py", "LOG_SCALE_CEILING: Final = 4.6", "LOG_SCALE_CEILING: Final = 2.0  # <-- culprit")],
        "expect": {"log_scale": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The clamp is active from the start, its gradient is 0.",
        "also": [("policy.py", "INITIAL_LOG_SCALE: Final = 2.3"),
                 ("towers.py", "scale = self.log_scale.clamp(max=policy.LOG_SCALE_CEILING).exp()")],
    },
    "category looked up in another letter case, always falls back to the padding row": {
        "kind": "lookup key never matches",
        "edits": [("repository.py", "label = self._labels[item].strip().upper()", "label = self._labels[item].strip().lower()  # <-- culprit")],
        "expect": {"item_tower.tables.category.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "All items get the padding row, which gets no gradient.",
        "also": [("repository.py", "return self._index.get(label, policy.UNKNOWN_CATEGORY)")],
    },
    "from_pretrained without freeze=False": {
        "kind": "API default freezes",
        "edits": [("factories.py", "return nn.Embedding.from_pretrained(start, freeze=False)", "return nn.Embedding.from_pretrained(start)  # <-- culprit")],
        "expect": {"user_tower.tables.id.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "from_pretrained freezes by default.",
    },
}
