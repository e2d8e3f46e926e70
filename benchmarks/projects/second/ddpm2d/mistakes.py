"""Class-conditional diffusion of 2-d points with EMA, self-conditioning and a dot-access configuration."""
RUN = ["train_ddpm.py", "spiral.yaml", "train.iterations=12"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "labels are always dropped: probability in the YAML is that of keeping": {
        "kind": "config value makes empty selection",
        "edits": [("spiral.yaml", "p_uncond: 0.2", "p_uncond: 1.0  # <-- culprit")],
        "expect": {"label.weight": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "With probability 1 the null label always takes the embedding's place and the embedding's gradient is 0.",
    },
    "self-conditioning probability stands in the wrong section of the YAML": {
        "kind": "config key in wrong section",
        "edits": [("spiral.yaml", "  steps: 20\n  self_cond_prob: 0.5\n", "  steps: 20\n"),
                  ("spiral.yaml", "  ema_decay: 0.99\n", "  ema_decay: 0.99\n  self_cond_prob: 0.5  # <-- culprit\n")],
        "expect": {"self_cond_in.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "train_ddpm looks under process.self_cond_prob and falls back to 0.0.",
        "also": [("spiral.yaml", "steps: 20"), ("spiral.yaml", "process:"), ("train_ddpm.py", 'process = GaussianProcess(conf.process.steps, conf.select("process.self_cond_prob", 0.0))')],
    },
    "conditioning embedding is not passed to the blocks": {
        "kind": "argument not passed on",
        "edits": [("diffusion/denoiser.py", "            h = block(h, emb)", "            h = block(h)  # <-- culprit")],
        "expect": {"time_mlp.*": "unreachable", "label.*": "unreachable", "null_label": "unreachable", "trunk.*.emb.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "emb=None is the default and nobody notices.",
    },
    "groups are generators, and one is used up by the parameter count printed": {
        "kind": "generator exhausted",
        "edits": [("diffusion/optim.py", "cond = [p for n, p in model.named_parameters() if is_embedding(n)]", "cond = (p for n, p in model.named_parameters() if is_embedding(n))  # <-- culprit")],
        "expect": {"time_mlp.*": "excluded", "label.*": "excluded", "null_label": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "sum() in the print consumes the generator, the group is empty.",
        "also": [("diffusion/optim.py", 'print("parameters: trunk", sum(p.numel() for p in rest), "conditioning", sum(p.numel() for p in cond))')],
    },
}
