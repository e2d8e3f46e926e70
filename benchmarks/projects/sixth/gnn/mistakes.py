"""Node classification on a similarity graph, plugins and a dict config."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "similarity threshold that no pair passes": {
        "kind": "graph without edges",
        "edits": [("train.py", '"features": 12, "threshold": 0.6},\n', '"features": 12, "threshold": 1.6},  # <-- culprit\n')],
        "expect": {"convs.*.lin_neigh.weight": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "Cosine similarity never exceeds 1, the edge list is empty, the neighbour sums are all zero and so is the gradient of lin_neigh.",
    },
    "jumping knowledge set to a mode that passes the attention by": {
        "kind": "config switch bypasses layers",
        "edits": [("layers.py", '    def __init__(self, dim, mode="attention"):\n', '    def __init__(self, dim, mode="last"):  # <-- culprit\n'),
                  ("train.py", '"depth": 3, "jk": {"mode": "attention"}},\n', '"depth": 3},  # <-- culprit\n')],
        "expect": {"jk.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The default mode is 'last' and the config asks for nothing else, so key and score are built and never used.",
    },
    "plugin hands a copy of the model to the runner": {
        "kind": "model copied after the optimizer was built",
        "edits": [("plugins.py", "        self.kept = copy.deepcopy(model)\n        return model\n",
                   "        self.kept = model\n        return copy.deepcopy(model)  # <-- culprit\n")],
        "expect": {"*": "excluded"},
        "codes": set(),
        "culprit_note": "The runner trains the copy that setup returns, while the optimizer holds the original, which is only the store of the best weights.",
    },
}
