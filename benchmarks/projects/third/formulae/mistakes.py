"""Symbolic regression with custom autograd functions, decorator registry, lambdas."""
RUN = ["search.py", "spring", "12"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "hand-written backward gives None for the exponent": {
        "kind": "custom backward returns None",
        "edits": [("functions.py", "        return gx, ge\n", "        return gx, None  # <-- culprit\n")],
        "expect": {"*.ops.power.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The derivative for e is not returned.",
    },
    "plain rounding instead of the straight-through one": {
        "kind": "non-differentiable operation",
        "edits": [("functions.py", "snap = RoundThrough.apply", "snap = lambda x: torch.round(x * 16) / 16  # <-- culprit")],
        "expect": {"*.ops.affine.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "round has derivative 0 everywhere.",
        "also": [("ops.py", "a, b = snap(self.coef)")],
    },
    "lambdas bind the loop variable late, every branch is the last operator": {
        "kind": "late-binding closure",
        "edits": [("tree.py", "return [lambda x, n=n: self.ops[n](x) for n in self.ops]", "return [lambda x: self.ops[n](x) for n in self.ops]  # <-- culprit")],
        "expect": {"*.ops.wave.*": "trained", "*.ops.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "All lambdas see the last n.",
    },
    "bucket of equal learning rates overwritten": {
        "kind": "dict key overwritten",
        "edits": [("search.py", "buckets.setdefault(rate_for(name), []).append(p)", "buckets[rate_for(name)] = [p]  # <-- culprit")],
        "expect": {"layers.1.choice": "trained", "readout.bias": "trained", "*": "excluded"}, "codes": set(),
        "culprit_note": "Only the last parameter of each rate is kept.",
    },
}
