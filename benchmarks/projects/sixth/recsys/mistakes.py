"""Two-tower recommender with BPR, argparse."""
RUN = ["train.py", "--epochs", "4"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "negatives taken from the column of the positives": {
        "kind": "positive and negative identical",
        "edits": [("pipeline.py", '        "neg": torch.tensor(cols[3]),\n', '        "neg": torch.tensor(cols[2]),  # <-- culprit\n')],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "The negative is the positive, pos - neg is constant zero and all gradients cancel.",
    },
    "vocabulary fitted on strings and asked with ints": {
        "kind": "every id falls on padding_idx",
        "edits": [("pipeline.py", '    return {k: Vocab().fit(r[k] for r in rows) for k in ("user", "country", "item")}\n',
                   '    vocabs = {k: Vocab().fit(r[k] for r in rows) for k in ("user", "item")}\n    vocabs["country"] = Vocab().fit(str(r["country"]) for r in rows)  # <-- culprit\n    return vocabs\n')],
        "expect": {"emb_country.weight": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The dataset looks countries up as ints, every look-up misses and gives 0, the padding row, whose gradient is always zero.",
        "also": [("pipeline.py", 'return v["user"](r["user"]), v["country"](r["country"]), v["item"](r["item"]), v["item"](neg)')],
    },
    "norm weights in neither group": {
        "kind": "parameter groups with a gap",
        "edits": [("optimizer.py", '        if p.ndim < 2 or name.startswith("emb_"):\n            plain.append(p)\n        else:\n            decay.append(p)\n',
                   '        if name.endswith("bias") or name.startswith("emb_"):  # <-- culprit\n            plain.append(p)\n        elif p.ndim >= 2:  # <-- culprit\n            decay.append(p)\n')],
        "expect": {"*.norm.weight": "excluded", "*": "trained"},
        "codes": set(),
        "culprit_note": "A LayerNorm weight is neither a bias nor two-dimensional and lands in no group.",
    },
}
