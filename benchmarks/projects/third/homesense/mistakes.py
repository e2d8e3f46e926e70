"""Multi-task home sensors, uncertainty weighting, event bus."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "log variances in a plain dict": {
        "kind": "dict instead of ParameterDict",
        "edits": [("net.py", "self.log_vars = nn.ParameterDict({t: nn.Parameter(torch.zeros(())) for t in tasks})",
                   "self.log_vars = {t: nn.Parameter(torch.zeros(())) for t in tasks}  # <-- culprit")],
        "expect": {"*log_vars*": "unregistered", "*": "trained"}, "codes": set(),
        "culprit_note": "A plain dict hides the parameters from parameters().",
    },
    "listener registered for an event that nobody emits": {
        "kind": "event name mismatch",
        "edits": [("listeners.py", '@bus.on("net.updated")', '@bus.on("net.update")  # <-- culprit')],
        "expect": {"weighting.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "main emits net.updated; the optimizer of the weighting never steps.",
        "also": [("main.py", 'bus.emit("net.updated", step=step)')],
    },
    "task misnamed in the curriculum, its gradients are cleared for ever": {
        "kind": "gradients cleared by hook",
        "edits": [("listeners.py", '(3, ("occupancy", "temperature", "power")),', '(3, ("occupancy", "temperature", "energy")),  # <-- culprit')],
        "expect": {"heads.power.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "power never joins; the listener clears its head's gradients in each step.",
        "also": [("listeners.py", "if name not in active:"), ("listeners.py", "head.zero_grad()")],
    },
    "two tasks share a key, the later loss overwrites the earlier": {
        "kind": "dict key overwritten",
        "edits": [("tasks.py", '    key = "power"\n', '    key = "temperature"  # <-- culprit\n')],
        "expect": {"heads.temperature.*": "unreachable", "weighting.log_vars.power": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Copied class attribute: Power's loss is stored under temperature.",
        "also": [("tasks.py", "losses[task.key] = task.loss(outputs[task.head], targets[task.head])")],
    },
}
