"""Chess value/policy net with replay and a gated champion (argparse, functions and a trainer script)."""
RUN = ["train.py", "--freeze-trunk", "no", "--generations", "3"]
EXPECT = {"champion.*": "frozen", "*": "trained"}
INTENT = ["champion.*"]
MOVED = ["champion.*"]
MISTAKES = {
    "argparse flag with type=bool": {
        "kind": "argparse type=bool",
        "edits": [("options.py", 'ap.add_argument("--freeze-trunk", type=yesno, default=False, help="only fit the heads")',
                   'ap.add_argument("--freeze-trunk", type=bool, default=False, help="only fit the heads")  # <-- culprit')],
        "expect": {"champion.*": "frozen", "candidate.trunk.*": "frozen", "*": "trained"},
        "codes": set(),
        "culprit_note": 'bool("no") is True, so "--freeze-trunk no" freezes the trunk.',
    },
    "attention pool takes the softmax over the last dimension, of size one": {
        "kind": "softmax over a dimension of one",
        "edits": [("network.py", "weights = torch.softmax(self.score(x), dim=1)",
                   "weights = torch.softmax(self.score(x), dim=-1)  # <-- culprit")],
        "expect": {"champion.*": "frozen", "candidate.pool.score.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The score has shape (batch, 64, 1); over the last dimension all weights are the constant 1.",
    },
    "gate given in percent, the match returns a fraction": {
        "kind": "weights rolled back every round (gate never passed)",
        "edits": [("arena.py", "GATE = 0.55\n", "GATE = 55  # <-- culprit\n")],
        "expect": {"champion.*": "frozen", "*": "blocked"},
        "codes": set(),
        "culprit_note": "rate is at most 1.0, the candidate is never promoted and is reset to the champion after each generation.",
        "also": [("arena.py", "promoted = rate > GATE"), ("arena.py", "return (new < old).float().mean().item()")],
    },
}
