"""Graph network for node classification; a script exported from a notebook with helper modules."""
RUN = ["03_train_citenet.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "training mask is empty: the fraction is floored before it is multiplied": {
        "kind": "loss masked everywhere",
        "edits": [("nb_utils.py", "n_train = int(n * frac_train)", "n_train = n * int(frac_train)  # <-- culprit")],
        "expect": {"*": "blocked"}, "codes": set(),
        "culprit_note": "int(0.5) is 0 and the training mask is all False.",
    },
    "propagation helper goes through numpy": {
        "kind": ".data/numpy round trip",
        "edits": [("graphs.py", "        H = A_hat @ H\n    return H", "        H = torch.from_numpy(A_hat.numpy() @ H.detach().numpy())  # <-- culprit\n    return H")],
        "expect": {"conv2.b": "trained", "*": "unreachable"}, "codes": set(),
        "culprit_note": "The round trip through numpy cuts the graph; keep it in torch.",
    },
    "skip connection is computed and then overwritten": {
        "kind": "feature computed but not returned",
        "edits": [("gnn.py", "        h = h + self.att(A, h)\n        h = h + self.skip(X)\n", "        s = h + self.skip(X)\n        h = h + self.att(A, h)  # <-- culprit\n")],
        "expect": {"skip.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "s is never used; the sum should go on from it.",
        "also": [("gnn.py", "s = h + self.skip(X)"), ("gnn.py", "return self.conv2(A_hat, F.elu(h))")],
    },
    "prefix of a parameter group does not match the module's name": {
        "kind": "wrong name in param filter",
        "edits": [("optim_setup.py", '"att": dict(lr=5e-3, betas=(0.9, 0.999)),', '"attn": dict(lr=5e-3, betas=(0.9, 0.999)),  # <-- culprit')],
        "expect": {"att.*": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "The module is called att; the prefix attn matches nothing and the empty group is dropped silently.",
    },
}
