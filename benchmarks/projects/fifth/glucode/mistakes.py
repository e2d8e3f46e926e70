"""Neural ODE of glucose curves (custom adjoint Function, checkpointed encoder, settings from an env file)."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "settings imported before the env file is read": {
        "kind": "environment default read at import time",
        "edits": [("main.py", 'load_env("settings.env")\nfrom settings import Settings  # noqa: E402\n',
                   'from settings import Settings  # noqa: E402\nload_env("settings.env")  # <-- culprit\n')],
        "expect": {"event.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The dataclass's defaults are read from the environment at import; the file comes too late and the event weight is 0.",
        "also": [("main.py", "from settings import Settings  # noqa: E402"), ("settings.py", 'event_weight: float = env("EVENT_WEIGHT", 0.0, float)')],
    },
    "adjoint never starts the sums for the parameters": {
        "kind": "custom Function's backward returns None for the parameters",
        "edits": [("adjoint.py", "totals = [g if total is None else total + g for total, g in zip(totals, grads[1:])]",
                   "totals = [total if total is None else total + g for total, g in zip(totals, grads[1:])]  # <-- culprit")],
        "expect": {"dynamics.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The totals start as None and stay None, so backward gives no gradient for the field's parameters.",
        "also": [("adjoint.py", "totals = [None] * len(ctx.params)")],
    },
    "reentrant checkpoint around the first module, whose input needs no gradient": {
        "kind": "reentrant checkpoint without an input that requires grad",
        "edits": [("model.py", "z0 = checkpoint(self.encoder, window, use_reentrant=False)",
                   "z0 = checkpoint(self.encoder, window, use_reentrant=True)  # <-- culprit")],
        "expect": {"encoder.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The reentrant variant gives an output without gradient when no input requires grad.",
    },
}
