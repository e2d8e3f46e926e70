"""Rain nowcasting with a refiner trained by a critic (event bus, trainer class, two optimizers)."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "generator's adversarial term uses the sample of the critic step": {
        "kind": "output computed without gradient reused",
        "edits": [("trainer.py", "            fake = self.model.refine(base.detach())\n            loss = loss - self.adversarial_weight * self.model.critic(past, fake).mean()\n",
                   "            loss = loss - self.adversarial_weight * self.model.critic(past, self.sample).mean()  # <-- culprit\n")],
        "expect": {"refine.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "self.sample was made under no_grad for the critic; the refiner is not in the graph.",
    },
    "gradients cleared between backward and step": {
        "kind": "zero_grad between backward and step",
        "edits": [("trainer.py", "        self.opt_g.zero_grad()\n        loss.backward()\n        self.opt_g.step()\n",
                   "        loss.backward()\n        self.opt_g.zero_grad()  # <-- culprit\n        self.opt_g.step()\n")],
        "expect": {"nowcast.*": "blocked", "refine.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "The generator's gradients are erased before its optimizer steps.",
    },
    "handler subscribed to an event that is never emitted": {
        "kind": "event name never emitted",
        "edits": [("handlers.py", '        bus.on("epoch_begin", self.update)\n', '        bus.on("epoch_start", self.update)  # <-- culprit\n')],
        "expect": {"refine.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "The trainer emits 'epoch_begin'; the adversarial weight stays 0 and the refiner is never used in a loss.",
        "also": [("trainer.py", 'self.bus.emit("epoch_begin", self)')],
    },
}
