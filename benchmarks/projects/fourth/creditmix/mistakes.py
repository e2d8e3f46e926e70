"""Mixture of experts on a credit table, hand-written solver, experts join one by one."""
RUN = ["fit.py"]
EXPECT = {"embed.bins": "frozen", "*": "trained"}
INTENT = ["embed.bins"]
MISTAKES = {
    "step returns at the first parameter without a gradient": {
        "kind": "early return in the step",
        "edits": [("solver.py", "                if p.grad is None:\n                    continue\n",
                   "                if p.grad is None:\n                    return  # <-- culprit\n")],
        "expect": {"experts.*": "trained", "embed.bins": "frozen", "*": "blocked"}, "codes": set(),
        "culprit_note": "The fixed bins never have a gradient; all that comes after them is never stepped.",
    },
    "warm-up writes a key that the solver does not read": {
        "kind": "lr 0 from scheduler",
        "edits": [("solver.py", 'group["lr"] = part * group["peak"]', 'group["learning_rate"] = part * group["peak"]  # <-- culprit')],
        "expect": {"embed.bins": "frozen", "gate.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The gate's rate stays at the 0.0 it starts with.",
    },
    "experts join too slowly for the length of the run": {
        "kind": "schedule longer than the run",
        "edits": [("plan.py", "grow_every: int = 3  # optimizer steps until one expert more joins",
                   "grow_every: int = 5  # <-- culprit")],
        "expect": {"embed.bins": "frozen", "experts.3.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "12 steps and one expert more at every fifth: the fourth would join at step 15.",
        "also": [("plan.py", "batches: int = 24")],
    },
    "name test with a bare text before the or": {
        "kind": "or in a name test",
        "edits": [("mixture.py", 'if "bins" in name or "edges" in name:', 'if "bins" or "edges" in name:  # <-- culprit')],
        "expect": {"embed.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "A text is always true; all tables of the embedding are frozen.",
    },
}
