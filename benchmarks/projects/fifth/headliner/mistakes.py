"""Headline writer, an old-style pointer-generator with coverage (argparse script)."""
RUN = ["main.py", "-epochs", "3"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "bridge layers in a plain dict": {
        "kind": "modules in a plain dict",
        "edits": [("encoder.py", '        self.bridge = nn.ModuleDict({\n            "h": nn.Linear(opt.hid, opt.hid),\n            "c": nn.Linear(opt.hid, opt.hid),\n        })\n',
                   '        self.bridge = {  # <-- culprit\n            "h": nn.Linear(opt.hid, opt.hid),\n            "c": nn.Linear(opt.hid, opt.hid),\n        }\n')],
        "expect": {"encoder.bridge*": "unregistered", "*": "trained"},
        "codes": set(),
        "culprit_note": "A plain dict does not register its layers, model.parameters() lacks them.",
        "also": [("encoder.py", '"h": nn.Linear(opt.hid, opt.hid),'), ("encoder.py", '"c": nn.Linear(opt.hid, opt.hid),')],
    },
    "result of scatter_add thrown away": {
        "kind": "result of an out-of-place op discarded",
        "edits": [("pointer.py", "        probs = probs.scatter_add(1, src, (1 - gen) * pointer)\n",
                   "        probs.scatter_add(1, src, (1 - gen) * pointer)  # <-- culprit\n")],
        "expect": {"copy_query.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "scatter_add without underscore returns a new tensor; the copy distribution never reaches probs.",
    },
    "learning rate set on a copy of the parameter groups": {
        "kind": "lr written to state_dict() instead of param_groups",
        "edits": [("schedule.py", "    for group in optimizer.param_groups:\n", '    for group in optimizer.state_dict()["param_groups"]:  # <-- culprit\n')],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "state_dict() gives copies of the groups, the optimizer keeps the lr of 0.0.",
    },
}
