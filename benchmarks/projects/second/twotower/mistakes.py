"""Two-tower recommender with hashed features, score plugins and JSON settings."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "share of missing countries compared in percent with a fraction: always missing, always the padding row": {
        "kind": "ids all on padding row",
        "edits": [("main.py", "missing = torch.rand(n) * 100 < MISSING_PERCENT", "missing = torch.rand(n) < MISSING_PERCENT  # <-- culprit")],
        "expect": {"user.tables.country.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "rand is below 1 and so always below 10; each country is hashed to padding_idx, whose row gets no gradient.",
        "also": [("main.py", "MISSING_PERCENT = 10")],
    },
    "training scores go by the serving index (wrong default of the flag)": {
        "kind": "wrong flag default",
        "edits": [("retrieval.py", "def scores(self, batch, serving=False):", "def scores(self, batch, serving=True):  # <-- culprit")],
        "expect": {"item.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "forward() relies on the default; the index runs under no_grad.",
        "also": [("retrieval.py", "s = self.scores(batch)")],
    },
    "no learning rate is named for the plugins, so they get no group": {
        "kind": "parameter not given to optimizer",
        "edits": [("settings.json", '"lrs": {"user": 0.01, "item": 0.01, "score": 0.005}', '"lrs": {"user": 0.01, "item": 0.01}')],
        "culprits": [("settings.json", 13)],
        "expect": {"score.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "optimizer_for() makes groups only for the names in lrs.",
        "also": [("main.py", 'parts = [(name, getattr(model, name)) for name in conf["lrs"]]')],
    },
    "limit of the log scale is below its initial value, the clamp is flat": {
        "kind": "clamp saturated",
        "edits": [("plugins/temperature.py", 'self.limit = conf.get("max_log_scale", 4.6)', 'self.limit = conf.get("max_log_scale", 1.0)  # <-- culprit')],
        "expect": {"score.0.log_scale": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "1.5 is above the limit, so the clamp's derivative is 0.",
        "also": [("plugins/temperature.py", "self.log_scale = nn.Parameter(torch.tensor(1.5))")],
    },
}
