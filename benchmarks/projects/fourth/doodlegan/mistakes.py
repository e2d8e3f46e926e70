"""Conditional GAN on drawings, two optimizers, generators and partial."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "critic's optimizer gets the generator's parameters": {
        "kind": "optimizer of the wrong network",
        "edits": [("train.py", "opt_d = adam(duel.critic.parameters(), lr=4e-3)", "opt_d = adam(duel.gen.parameters(), lr=4e-3)  # <-- culprit")],
        "expect": {"critic.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "Copied line: both optimizers hold the generator.",
    },
    "drawing detached for both losses": {
        "kind": "detach kept for both losses",
        "edits": [("loops.py", "fake = duel.gen(z, labels)\n", "fake = duel.gen(z, labels).detach()  # <-- culprit\n")],
        "expect": {"gen.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Right for the critic's loss only; the generator's loss needs the graph.",
    },
    "accumulation counter starts anew in each epoch": {
        "kind": "counter never reaches setting",
        "edits": [("loops.py", "    it = 0\n    for epoch in range(epochs):\n", "    for epoch in range(epochs):\n        it = 0  # <-- culprit\n")],
        "expect": {"gen.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "An epoch has 4 batches and the generator steps at every fifth; it never steps.",
    },
    "labels given under another keyword, swallowed by **unused": {
        "kind": "keyword swallowed",
        "edits": [("loops.py", "score = partial(duel.critic, labels=labels)", "score = partial(duel.critic, label=labels)  # <-- culprit")],
        "expect": {"critic.embed.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "forward() wants labels; label ends in **unused and the embedding is never called.",
    },
}
