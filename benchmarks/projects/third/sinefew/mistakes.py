"""Few-shot sine regression, MAML with learnable inner rates, script with globals and sys.argv."""
RUN = ["maml.py", "8", "2"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "adapted weights made new leaves in every inner step": {
        "kind": "detach in helper",
        "edits": [("inner.py", "moved[name] = w - meta.rate_of(name, fallback) * g",
                   "moved[name] = (w - meta.rate_of(name, fallback) * g).detach().requires_grad_()  # <-- culprit")],
        "expect": {"*": "unreachable"}, "codes": set(),
        "culprit_note": "The query loss reaches only the detached fast weights, not the start point nor the rates.",
    },
    "query loss taken with the start weights": {
        "kind": "wrong variable used",
        "edits": [("inner.py", "return task_loss(meta.net, fast, xq, yq)", "return task_loss(meta.net, meta.start(), xq, yq)  # <-- culprit")],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The adapted weights are not used, so the rates have no influence.",
    },
    "rates looked up by the name with dots, fallback always taken": {
        "kind": "lookup key never matches",
        "edits": [("learner.py", "        key = slot(name)\n", "        key = name  # <-- culprit\n")],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The dict's keys have no dots; the constant fallback is used for every tensor.",
        "also": [("learner.py", "return self.rates[key] if key in self.rates else fallback")],
    },
    "generator of weights used up by the printed count": {
        "kind": "generator exhausted",
        "edits": [("outer.py", "weights = list(meta.net.parameters())", "weights = meta.net.parameters()  # <-- culprit")],
        "expect": {"net.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "count() exhausts the generator; the first group of the optimizer is empty.",
        "also": [("outer.py", 'print(f"outer: {count(weights)} weights, {count(rates)} inner rates")'),
                 ("outer.py", '{"params": weights, "lr": lr},')],
    },
}
