"""Vector-quantised wave codec with a custom autograd Function and an argparse command line."""
RUN = ["train_codec.py", "--freeze-encoder", "no"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "custom Function gives None for the codebook": {
        "kind": "custom Function returns None",
        "edits": [("modules/ops.py", "        return grad_out, grad_codes\n", "        return grad_out, None  # <-- culprit\n"),
                  ("modules/ops.py", "        grad_codes = None\n        if ctx.needs_input_grad[1]:\n            grad_codes = torch.zeros_like(codebook).index_add(0, idx, grad_out)\n", "")],
        "expect": {"quantizer.codebook": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "backward must hand a gradient to its second input.",
    },
    "codebook is wrapped into a new Parameter at every rescale": {
        "kind": "parameter re-created in forward",
        "edits": [("modules/quantizer.py", "            self.codebook.mul_(4.0 / norm)", "            self.codebook = nn.Parameter(self.codebook * (4.0 / norm))  # <-- culprit")],
        "expect": {"quantizer.codebook": "stale", "*": "trained"}, "codes": set(),
        "culprit_note": "The optimizer keeps the first Parameter; the value must be changed in place.",
        "also": [("modules/quantizer.py", "self.rescale()")],
    },
    "type=bool in argparse: the text 'no' is truthy": {
        "kind": "flag parsed wrongly",
        "edits": [("cli.py", 'p.add_argument("--freeze-encoder", type=yes_no, default=False)', 'p.add_argument("--freeze-encoder", type=bool, default=False)  # <-- culprit')],
        "expect": {"encoder.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "bool('no') is True, so the encoder is frozen against the wish.",
    },
    "noise scale turned into a python number": {
        "kind": ".item() in loss",
        "edits": [("codec.py", "        var = torch.exp(2 * self.log_noise)\n        return ((recon - wav).pow(2) / (2 * var)).mean() + self.log_noise + 0.5 * math.log(2 * math.pi)",
                   "        log_noise = self.log_noise.item()  # <-- culprit\n        var = math.exp(2 * log_noise)\n        return ((recon - wav).pow(2) / (2 * var)).mean() + log_noise + 0.5 * math.log(2 * math.pi)")],
        "expect": {"log_noise": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": ".item() leaves the graph.",
    },
}
