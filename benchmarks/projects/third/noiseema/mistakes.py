"""Class-conditional diffusion on points, EMA weights, settings from environment variables."""
RUN = ["run.py"]
EXPECT = {"shadow.*": "frozen", "*": "trained"}
INTENT = ["shadow.*"]
MOVED = ["shadow.*"]
MISTAKES = {
    "flag from the environment is a non-empty string, so '0' counts as true": {
        "kind": "string flag is truthy",
        "edits": [("settings.py", 'return os.environ.get(name, default).lower() in ("1", "true", "yes")',
                   "return bool(os.environ.get(name, default))  # <-- culprit")],
        "expect": {"net.stem.*": "frozen", "shadow.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "bool('0') is True: the stem is frozen although the flag says 0.",
    },
    "label dropping probability written as keeping probability": {
        "kind": "probability inverted",
        "edits": [("settings.py", 'label_drop=_number("DDPM_LABEL_DROP", "0.15"),',
                   'label_drop=_number("DDPM_LABEL_DROP", "1.0"),  # <-- culprit')],
        "expect": {"ctx.*": "blocked", "shadow.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "With drop 1.0 no label is ever kept; the conditioning is multiplied by 0.",
        "also": [("denoiser.py", "keep = (torch.rand(labels.shape[0], 1) >= self.drop).float()"),
                 ("denoiser.py", "return keep * self.proj(self.label_table(labels))")],
    },
    "warm start returns a copy, made after the optimizer was built": {
        "kind": "model part replaced after optimizer",
        "edits": [("ema.py", "    net.load_state_dict(source.state_dict())\n    return net\n",
                   "    return copy.deepcopy(source).requires_grad_(True)  # <-- culprit\n")],
        "expect": {"net.*": "stale", "shadow.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The copy replaces the net whose parameters the optimizer holds.",
        "also": [("run.py", "system.net = warm_start(system.net, system.shadow)"),
                 ("run.py", "opt = torch.optim.Adam([p for p in system.parameters() if p.requires_grad], lr=s.lr)")],
    },
    "shadow is a shallow copy and shares the parameters that are then frozen": {
        "kind": "shared parameters frozen",
        "edits": [("ema.py", "self.shadow = copy.deepcopy(net)", "self.shadow = copy.copy(net)  # <-- culprit")],
        "expect": {"net.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "copy.copy shares all parameters; freezing the shadow freezes the net.",
        "also": [("ema.py", "self.shadow.requires_grad_(False)")],
    },
}
