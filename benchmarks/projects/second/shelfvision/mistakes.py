"""Fine-tuning of a 'pretrained' image classifier: model zoo, checkpoints, callbacks, YAML specs."""
RUN = ["finetune.py", "shelf_small"]
EXPECT = {"stages.2.*": "trained", "head.*": "trained", "*": "frozen"}
INTENT = ["stem.*", "stages.0.*", "stages.1.*"]
MISTAKES = {
    "checkpoint is loaded with assign=True after the optimizer was made": {
        "kind": "load replaced parameters",
        "edits": [("shelf/checkpoints.py", "result = model.load_state_dict(state, strict=False)", "result = model.load_state_dict(state, strict=False, assign=True)  # <-- culprit")],
        "expect": {"stages.2.*": "stale", "head.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "assign=True puts new Parameter objects in place of those the optimizer holds.",
        "also": [("shelf/session.py", 'self.optimizer = tuning.optimizer_for(self.model, spec["lr"], spec["head_mult"])')],
    },
    "guard rolls back when the loss is finite, since the sign of the comparison is wrong": {
        "kind": "wrong sign condition",
        "edits": [("shelf/callbacks.py", "if loss > self.tolerance * self.best:", "if loss < self.tolerance * self.best:  # <-- culprit")],
        "expect": {"stages.2.*": "blocked", "head.*": "blocked", "*": "frozen"}, "codes": set(),
        "culprit_note": "Each step is undone by restoring the first snapshot.",
    },
    "new classifier is put under a name that forward does not use": {
        "kind": "head overwritten under wrong name",
        "edits": [("shelf/zoo.py", "setattr(self, self.head_name, nn.Linear(old.in_features, classes))", "self.fc = nn.Linear(old.in_features, classes)  # <-- culprit"),
                  ("specs.yaml", 'tune: ["stages.2", "head"]', 'tune: ["stages.2", "fc", "head"]')],
        "expect": {"fc.*": "unreachable", "stages.2.*": "trained", "head.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "forward calls self.head; the new layer self.fc is never used.",
    },
    "prefix of the part to be tuned is taken from another architecture": {
        "kind": "wrong name in param filter",
        "edits": [("specs.yaml", 'tune: ["stages.2", "head"]', 'tune: ["layer4", "head"]  # <-- culprit')],
        "expect": {"head.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "There is no layer4 in this net, the last stage stays frozen.",
    },
}
