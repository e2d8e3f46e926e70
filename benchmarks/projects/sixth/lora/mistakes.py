"""LoRA fine-tuning of a frozen text encoder."""
RUN = ["finetune.py", "--epochs", "3"]
EXPECT = {"classifier.*": "trained", "*.lora_?": "trained", "*": "frozen"}
INTENT = ["embed.*", "layers.*.base.*", "layers.*.key.*", "layers.*.norm.*", "layers.*.ff.*"]
MISTAKES = {
    "both low-rank factors start at zero": {
        "kind": "zero initialisation of both factors",
        "edits": [("args.py", 'default="kaiming")\n', 'default="zeros")  # <-- culprit\n')],
        "expect": {"classifier.*": "trained", "*.lora_?": "blocked", "*": "frozen"},
        "codes": set(),
        "culprit_note": "lora_B starts at zero anyway and the CLI default now zeroes lora_A too; the gradient of each factor is proportional to the other, so with both at zero neither ever leaves it.",
        "also": [("peft.py", "nn.init.zeros_(self.lora_B)")],
    },
    "list of trainable names does not know the adapters": {
        "kind": "freeze by name list",
        "edits": [("finetune.py", 'TRAINABLE = ("lora_", "classifier")\n', 'TRAINABLE = ("adapter", "classifier")  # <-- culprit\n')],
        "expect": {"classifier.*": "trained", "*": "frozen"},
        "codes": set(),
        "culprit_note": "The parameters are called lora_A and lora_B, none holds 'adapter', so freeze_except freezes them with the rest.",
    },
    "adapters stay merged after the first evaluation": {
        "kind": "merged for evaluation and left so",
        "edits": [("evaluation.py", "    unmerge_all(model)\n    model.train()\n", "    model.train()  # <-- culprit\n"),
                  ("evaluation.py", "import merge_all, unmerge_all\n", "import merge_all\n")],
        "expect": {"classifier.*": "trained", "*.lora_?": "unreachable", "*": "frozen"},
        "codes": set(),
        "culprit_note": "accuracy merges the adapters (already before the first epoch) and never unmerges them, and forward passes the factors by while merged is set.",
        "also": [("evaluation.py", "merge_all(model)"), ("evaluation.py", "right = (model(ids).argmax(1) == labels).float().mean().item()")],
    },
}
