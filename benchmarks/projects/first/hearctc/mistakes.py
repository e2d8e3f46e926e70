"""Speech recogniser (CTC + attention) on a home-made Lightning-like framework with callbacks."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "override of the optimizer hook misspelt, the base class's SGD with lr 0 is used": {
        "kind": "override never takes effect",
        "edits": [("recognizer.py", "def configure_optimizers(self):", "def configure_optimizer(self):  # <-- culprit")],
        "expect": {"*": "blocked"}, "codes": set(),
        "culprit_note": "The framework calls configure_optimizers; the misspelt override is never called and base_lr defaults to 0.",
    },
    "training step returns the CTC term under 'loss'": {
        "kind": "backward on wrong loss",
        "edits": [("recognizer.py", 'return {"loss": loss, "ctc": ctc.detach(), "att": att.detach()}', 'return {"loss": ctc, "att": att.detach()}  # <-- culprit')],
        "expect": {"decoder.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The runner does backward on out['loss'], which is only one of the two terms.",
    },
    "thaw epoch lies past the last epoch": {
        "kind": "freeze never thawed",
        "edits": [("main.py", "THAW_FRONT_AT = 1", "THAW_FRONT_AT = 5  # <-- culprit")],
        "expect": {"front.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "Epoch 5 never comes with MAX_EPOCHS = 3, the front end stays frozen.",
        "also": [("main.py", "MAX_EPOCHS = 3")],
    },
    "subsampling factor of another front end: too few frames for CTC, infinite loss zeroed": {
        "kind": "loss masked everywhere",
        "edits": [("acoustic.py", "    factor = 4\n", "    factor = 16  # <-- culprit\n")],
        "expect": {"ctc_out.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "Two strides of 2 give a factor of 4; with 16 the input lengths are shorter than the targets and zero_infinity erases the term.",
    },
}
