"""Meta-learning of letters, learned inner rates, one stem for each script."""
RUN = ["meta.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "query loss taken with the weights from before the adaptation": {
        "kind": "wrong variable used",
        "edits": [("meta.py", "return episode_loss(net, tuned, task.script, task.query)", "return episode_loss(net, start, task.script, task.query)  # <-- culprit")],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The adapted weights are thrown away, and the inner rates with them.",
    },
    "inner update starts from .data": {
        "kind": ".data in an update",
        "edits": [("inner.py", "return {n: w - net.rate_of(n) * g for (n, w), g in zip(weights.items(), grads)}",
                   "return {n: w.data - net.rate_of(n) * g for (n, w), g in zip(weights.items(), grads)}  # <-- culprit")],
        "expect": {"body.*": "unreachable", "head.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The adapted weights no longer hang on the start weights; in first order nothing else leads there.",
    },
    "keys are made and looked up in two ways": {
        "kind": "lookup key never matches",
        "edits": [("net.py", "        key = safe(name)\n", '        key = name.replace(".", "_")  # <-- culprit\n')],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The keys have two underscores; every lookup gives the constant rate.",
    },
    "gradients zeroed for every task of the meta batch": {
        "kind": "zero_grad in the task loop",
        "edits": [("meta.py", "        opt.zero_grad()\n        for task in batch:\n", "        for task in batch:\n            opt.zero_grad()  # <-- culprit\n")],
        "expect": {"stems.latin.*": "blocked", "stems.greek.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "Only the last task, always runic, reaches the step.",
    },
}
