"""Multi-task model with uncertainty weights, round-robin sampling of tasks and gradient surgery."""
RUN = ["launch.py", "tasks.yaml"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "position of the round robin wraps at the number per step": {
        "kind": "wrong modulus / index",
        "edits": [("mtl/sampling.py", "self._pos = (self._pos + self.per_step) % len(self.names)", "self._pos = (self._pos + self.per_step) % self.per_step  # <-- culprit")],
        "expect": {"*spend*": "unreachable", "*visits*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The position goes back to 0 each time and the last two tasks never come.",
    },
    "uncertainty weight is read through .data": {
        "kind": ".data/numpy round trip",
        "edits": [("mtl/model.py", "        s = self.log_vars[task.name]\n", "        s = self.log_vars[task.name].data  # <-- culprit\n")],
        "expect": {"log_vars.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": ".data cuts log_vars from the loss.",
    },
    "surgery clears the gradients of everything before it writes the shared ones back": {
        "kind": "zero_grad at wrong place",
        "edits": [("mtl/surgery.py", "        for p in shared:\n            p.grad = None\n    write_back", "        optimizer.zero_grad()  # <-- culprit\n    write_back")],
        "expect": {"trunk.*": "trained", "*": "blocked"}, "codes": set(),
        "culprit_note": "Only the shared parameters' gradients may be cleared here, the heads' are lost before the step.",
    },
    "tasks are added after the optimizer has been made": {
        "kind": "optimizer built before extension",
        "edits": [("mtl/trainer.py", "        model = MultiTaskModel(self.conf[\"width\"], self.conf[\"hidden\"])\n        for task in self.tasks.values():\n            model.add_task(task)\n        return model\n", "        return MultiTaskModel(self.conf[\"width\"], self.conf[\"hidden\"])\n"),
                  ("mtl/trainer.py", "        self.optimizer = self._optimizer()\n", "        self.optimizer = self._optimizer()  # <-- culprit\n        for task in self.tasks.values():\n            self.model.add_task(task)  # <-- culprit\n")],
        "expect": {"trunk.*": "trained", "*": "excluded"}, "codes": set(),
        "culprit_note": "The optimizer must be made after the heads exist.",
        "also": [("mtl/trainer.py", "for task in self.tasks.values():")],
    },
}
