"""Diffusion of dune profiles, objects from dotted names, keeper of the best weights."""
RUN = ["main.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "best value starts at 0 although lower is better": {
        "kind": "weights restored after every epoch",
        "edits": [("guard.py", "self.best = math.inf", "self.best = 0.0  # <-- culprit")],
        "expect": {"net.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "No loss is below 0; the net goes back to its first weights after each epoch.",
    },
    "share of unconditional samples made whole": {
        "kind": "int() of a fraction",
        "edits": [("unet.py", "self.p_uncond = float(p_uncond)", "self.p_uncond = int(p_uncond)  # <-- culprit")],
        "expect": {"net.null": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "int(0.3) is 0; the null label is never chosen and gets gradient 0.",
    },
    "up blocks in a plain list": {
        "kind": "list instead of ModuleList",
        "edits": [("unet.py", "self.ups = nn.ModuleList([Block(2 * width, width, width) for _ in range(levels)])",
                   "self.ups = [Block(2 * width, width, width) for _ in range(levels)]  # <-- culprit")],
        "expect": {"*ups*": "unregistered", "*": "trained"}, "codes": set(),
        "culprit_note": "A plain list hides the blocks from parameters().",
    },
    "guard of the gradients keeps the bad and zeroes the good": {
        "kind": "hook returns zeros",
        "edits": [("guard.py", "return torch.where(torch.isfinite(grad), grad, torch.zeros_like(grad))",
                   "return torch.where(torch.isfinite(grad), torch.zeros_like(grad), grad)  # <-- culprit")],
        "expect": {"net.mid.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The two branches are swapped; all finite gradients become 0.",
    },
}
