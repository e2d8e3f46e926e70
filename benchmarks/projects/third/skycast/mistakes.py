"""Weather forecasting on a grid, YAML inheritance, forward hooks, mixin."""
RUN = ["cli.py", "-c", "configs/regional.yaml"]
EXPECT = {"processor.0.*": "frozen", "*": "trained"}
INTENT = ["processor.0.*"]
MISTAKES = {
    "hook keeps a detached output": {
        "kind": "detach in hook",
        "edits": [("hooks.py", "self.store[name] = output", "self.store[name] = output.detach()  # <-- culprit")],
        "expect": {"tendency.*": "unreachable", "processor.0.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "The loss uses the collected output; detached, it trains nothing.",
    },
    "shallow merge of the inherited config, residual scale falls to its default 0": {
        "kind": "shallow config merge",
        "edits": [("yamlconf.py", "            out[key] = merge(out[key], value)\n", "            out[key] = {**value}  # <-- culprit\n")],
        "expect": {"processor.0.*": "frozen", "processor.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The child's model section replaces the parent's; residual_scale is lost and every block is multiplied by 0.",
        "also": [("model.py", "def __init__(self, channels, width, blocks, residual_scale=0.0, frozen_blocks=0, capture=()):")],
    },
    "captured part misspelt in the YAML, term silently left out": {
        "kind": "config value misspelt",
        "edits": [("configs/regional.yaml", "  capture: [tendency]", "  capture: [tendancy]  # <-- culprit")],
        "expect": {"tendency.*": "unreachable", "processor.0.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "No module has that name; nothing is hooked and the term is skipped.",
        "also": [("cli.py", "if rate is not None:")],
    },
    "off by one in the range of frozen blocks": {
        "kind": "off by one in freezing",
        "edits": [("parts.py", "for i in range(self.frozen_blocks):", "for i in range(self.frozen_blocks + 1):  # <-- culprit")],
        "expect": {"processor.0.*": "frozen", "processor.1.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "One block more than configured is frozen.",
    },
}
