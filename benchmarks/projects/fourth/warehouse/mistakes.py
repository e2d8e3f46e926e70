"""DQN with a dueling head, target head and world model, argparse."""
RUN = ["main.py", "--freeze-encoder", "False", "--episodes", "6"]
EXPECT = {"target.*": "frozen", "*": "trained"}
INTENT = ["target.*"]
MISTAKES = {
    "target head is a shallow copy, freezing it freezes the online head": {
        "kind": "shallow copy",
        "edits": [("qnet.py", "self.target = copy.deepcopy(self.online)", "self.target = copy.copy(self.online)  # <-- culprit")],
        "expect": {"online.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "copy.copy shares the parameters; requires_grad_(False) then reaches the online head.",
    },
    "remainder compared with the divisor": {
        "kind": "counter never reaches setting",
        "edits": [("agent.py", "if self.updates % self.world_every == 0:", "if self.updates % self.world_every == self.world_every:  # <-- culprit")],
        "expect": {"world.*": "blocked", "target.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "A remainder is always smaller than the divisor; the optimizer of the world model never steps.",
    },
    "flag parsed with bool, so the text False is true": {
        "kind": "flag read from text",
        "edits": [("main.py", 'p.add_argument("--freeze-encoder", type=yes_no, default=False)',
                   'p.add_argument("--freeze-encoder", type=bool, default=False)  # <-- culprit')],
        "expect": {"encoder.*": "frozen", "target.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": 'bool("False") is True; the encoder gets frozen.',
    },
    "training call leaves the flag at its default and runs without a graph": {
        "kind": "no_grad path by default",
        "edits": [("agent.py", "h = self.net.features(obs, train=True)", "h = self.net.features(obs)  # <-- culprit")],
        "expect": {"encoder.*": "unreachable", "target.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "features() records a graph only with train=True.",
        "also": [("qnet.py", "def features(self, obs, train=False):")],
    },
}
