"""A radiance field of two networks, the second of which samples where the first sees something. Two scripts."""

RUN = ["run_nerf.py", "--n_iters", "6"]
EXPECT = {"*": "trained"}
INTENT: list[str] = []
MISTAKES = {
    "the fine network's parameters go to a list of their own": {
        "edits": [
            (
                "run_nerf.py",
                "        grad_vars += list(model_fine.parameters())\n",
                "        grad_vars_fine = list(model_fine.parameters())  # <-- culprit\n",
            )
        ],
        "expect": {"*fine*": "excluded", "*": "trained"},
        "codes": {"FXA301"},
    },
    "chunks are collected as data": {
        "edits": [
            (
                "run_nerf.py",
                "all_ret[k].append(ret[k])",
                "all_ret[k].append(ret[k].cpu().data)  # <-- culprit",
            )
        ],
        "expect": {"*": "unreachable"},
        "codes": {"FXA104"},
    },
}
