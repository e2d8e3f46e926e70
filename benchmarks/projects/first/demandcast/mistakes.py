"""Time-series forecaster on a base trainer with mixins, quantile loss and gradient accumulation."""
RUN = ["run_market.py", "north"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "accumulation over more micro-batches than the whole run has": {
        "kind": "accumulation never reached",
        "edits": [("conf.py", '"accumulate": 2,', '"accumulate": 64,  # <-- culprit')],
        "expect": {"*": "blocked"}, "codes": set(), "nosteps": True, "moved": ["head.bias"],
        "culprit_note": "There are only some 20 micro-batches in all epochs, the counter never reaches 64.",
        "also": [("conf.py", '"epochs": 3,')],
    },
    "warm start puts a new head in place after the optimizer was made": {
        "kind": "model part replaced after optimizer",
        "edits": [("mixins.py", "        with torch.no_grad():\n            self.model.head.bias.add_(level)\n",
                   "        head = torch.nn.Linear(self.model.head.in_features, self.model.head.out_features)\n        torch.nn.init.constant_(head.bias, float(level))\n        self.model.head = head  # <-- culprit\n")],
        "expect": {"head.*": "stale", "*": "trained"}, "codes": set(),
        "culprit_note": "before_train runs after build_optimizer, so the new head is not in the optimizer; the bias should be set in place.",
        "also": [("mixins.py", "head = torch.nn.Linear(self.model.head.in_features, self.model.head.out_features)")],
    },
    "gate bias initialised so low that the sigmoid is exactly flat": {
        "kind": "saturated initialisation",
        "edits": [("forecaster.py", "nn.init.constant_(self.gate.bias, -1.0)", "nn.init.constant_(self.gate.bias, -200.0)  # <-- culprit")],
        "expect": {"res.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "sigmoid(-200) underflows to 0 and so do its derivative and the branch's gradient.",
    },
    "mixin clears the gradients in the hook right before the step": {
        "kind": "zero_grad at wrong place",
        "edits": [("mixins.py", "        super().before_step()\n", "        super().before_step()\n        self.optimizer.zero_grad()  # <-- culprit\n")],
        "expect": {"*": "blocked"}, "codes": set(), "moved": ["head.bias"],
        "culprit_note": "before_step is called between backward and step; the gradients are thrown away.",
    },
}
