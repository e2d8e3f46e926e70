"""PPO with a policy and a value net on a toy vector environment, dataclass + argparse."""
RUN = ["train.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "advantages normalised in minibatches of one": {
        "kind": "normalising a group of one",
        "edits": [("settings.py", "    minibatch_size: int = 64\n", "    minibatch_size: int = 1  # <-- culprit\n")],
        "expect": {"pi.*": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "Advantages are standardised within the minibatch; with one sample adv - mean is 0, so the policy loss and its gradient are zero.",
        "also": [("buffer.py", "b.adv = (b.adv - b.adv.mean()) / (b.adv.std(unbiased=False) + 1e-8)")],
    },
    "negative target kl as in libraries where it means off": {
        "kind": "early stop before the first step",
        "edits": [("settings.py", "    target_kl: float = 0.05\n", "    target_kl: float = -1.0  # <-- culprit\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "Every KL is above -1, so update returns before the first backward.",
        "also": [("agent.py", "if kl > self.cfg.target_kl:")],
    },
    "value loss on the values of the rollout": {
        "kind": "loss on stored outputs",
        "edits": [("networks.py", "        return logp, self.value(batch.obs)\n", "        return logp, batch.values  # <-- culprit\n")],
        "expect": {"vf.*": "unreachable", "*": "trained"},
        "codes": set(),
        "culprit_note": "evaluate hands back the values stored under no_grad during the rollout instead of computing them anew.",
    },
}
