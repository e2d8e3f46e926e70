"""Meta-learning (MAML with learned inner rates) on sinusoid tasks; functional style, frozen dataclass."""
RUN = ["meta_train.py", "quick"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "fast weights are made leaves again in the inner update": {
        "kind": "detach in helper",
        "edits": [("adaptation.py", "    return {n: weights[n] - learner.rates.rate(n) * g for n, g in zip(names, grads)}",
                   "    return {n: (weights[n] - learner.rates.rate(n) * g).detach().requires_grad_() for n, g in zip(names, grads)}  # <-- culprit")],
        "expect": {"*": "unreachable"}, "codes": set(),
        "culprit_note": "The detach cuts the query loss from the initial weights and the rates.",
    },
    "flag for learning the rates is not passed on": {
        "kind": "argument not passed on",
        "edits": [("learner.py", "self.rates = InnerRates(names, opt.inner_lr, learn=opt.learn_inner_lr)", "self.rates = InnerRates(names, opt.inner_lr)  # <-- culprit")],
        "expect": {"rates.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "learn defaults to False; learn_inner_lr of the options is never used.",
        "also": [("learner.py", "def __init__(self, names, init, learn=False):")],
    },
    "query loss is taken with the initial weights": {
        "kind": "wrong variable used",
        "edits": [("adaptation.py", "    x, y = task.draw(opt.shots)\n    return F.mse_loss(learner.predict(x, weights), y)", "    x, y = task.draw(opt.shots)\n    return F.mse_loss(learner.net(x), y)  # <-- culprit")],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The adapted weights are not used, so the inner rates have no influence.",
    },
    "preset has one inner step fewer than wanted: none at all": {
        "kind": "loop runs zero times",
        "edits": [("options.py", "QUICK = MetaOptions()", "QUICK = MetaOptions(inner_steps=0)  # <-- culprit")],
        "expect": {"rates.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "With no inner step the inner rates are never used.",
    },
}
