"""Graph net on molecules, registries of heads and losses, key=value options."""
RUN = ["main.py", "lr=0.01", "depth=3"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "turn of the tasks leaves out the last one": {
        "kind": "round robin misses one",
        "edits": [("main.py", "task = tasks[step % len(tasks)]", "task = tasks[step % (len(tasks) - 1)]  # <-- culprit")],
        "expect": {"heads.clearance.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The index runs over 0 and 1 only; clearance never has its turn.",
    },
    "one norm too few, zip drops the last layer": {
        "kind": "zip one short",
        "edits": [("gnn.py", "self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])",
                   "self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth - 1)])  # <-- culprit")],
        "expect": {"convs.2.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "zip stops with the shorter list; the last layer is never called.",
    },
    "loss asked for under a name that is not registered": {
        "kind": "plug-in name falls back",
        "edits": [("options.py", '        "solubility": "huber",', '        "solubility": "smooth_l1",  # <-- culprit')],
        "expect": {"heads.solubility.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Unknown names give the loss of watched heads, a constant 0.",
    },
    "plain neighbours summed in place of the gated messages": {
        "kind": "wrong variable used",
        "edits": [("gnn.py", "total = torch.zeros_like(h).index_add(0, dst, message)", "total = torch.zeros_like(h).index_add(0, dst, sent)  # <-- culprit")],
        "expect": {"convs.*.gate.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "message is computed and then not used.",
    },
}
