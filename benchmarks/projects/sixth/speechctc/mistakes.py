"""Small CTC speech recogniser, configured in YAML."""
RUN = ["train.py", "conf.yaml"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "subsampling leaves fewer frames than characters": {
        "kind": "ctc zero_infinity",
        "edits": [("conf.yaml", "  subsample: 2\n", "  subsample: 16  # <-- culprit\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "With 6 frames a character and a factor of 16 no alignment exists, every loss is infinite and zero_infinity makes it and its gradient 0.",
        "also": [("conf.yaml", "frames_per_char: 6")],
    },
    "frequency mask covers every mel bin": {
        "kind": "augmentation erases the input",
        "edits": [("conf.yaml", "  freq_mask: 0.25\n", "  freq_mask: 1.0  # <-- culprit\n")],
        "expect": {"front.conv.weight": "blocked", "*": "trained"},
        "codes": set(),
        "culprit_note": "freq_mask is a share of the bins; 1.0 zeroes the whole spectrogram, so the first convolution sees only zeros and its weight has a gradient of exactly zero.",
    },
    "integer division in the warm-up": {
        "kind": "lr lambda floors to zero",
        "edits": [
            ("asr/schedule.py", "            return (step + 1) / warmup\n        left = (total - step) / max(total - warmup, 1)\n        return max(0.1, left)\n",
             "            return step // warmup  # <-- culprit\n        left = (total - step) / max(total - warmup, 1)\n        return max(0.1, left)\n"),
            ("conf.yaml", "  warmup_steps: 6\n", "  warmup_steps: 500\n")],
        "expect": {"*": "blocked"},
        "codes": set(),
        "culprit_note": "step // warmup is 0 during the whole warm-up, and the warm-up outlasts the run, so the learning rate is 0 throughout.",
        "also": [("conf.yaml", "warmup_steps: 500")],
    },
}
