"""Fine-tuning a small encoder with low-rank adapters injected into it (argparse)."""
RUN = ["finetune.py", "--rank", "4", "--alpha", "8"]
EXPECT = {"*lora_*": "trained", "classifier.*": "trained", "*": "frozen"}
INTENT = ["embeddings.*", "layers.*.base.*", "layers.*.key.*", "layers.*.output.*", "layers.*.norm.*"]
MISTAKES = {
    "optimizer is built before the adapters are injected": {
        "kind": "optimizer built before extension",
        "edits": [("finetune.py", "    model = from_pretrained()\n", "    model = from_pretrained()\n    optimizer = make_optimizer(model, args.lr)  # <-- culprit\n"),
                  ("finetune.py", "    mark_trainable(model)\n    optimizer = make_optimizer(model, args.lr)\n", "    mark_trainable(model)\n")],
        "expect": {"*lora_*": "excluded", "classifier.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "The optimizer must be made after inject(); it does not hold the new adapters.",
        "also": [("finetune.py", "hits = inject(model, args.adapter, args.targets, args.rank, args.alpha)")],
    },
    "both low-rank factors start at zero": {
        "kind": "dead initialisation",
        "edits": [("adapters.py", "nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))", "nn.init.zeros_(self.lora_A)  # <-- culprit")],
        "expect": {"*lora_*": "blocked", "classifier.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "With A and B both zero, each one's gradient is a multiple of the other and stays zero.",
        "also": [("adapters.py", "nn.init.zeros_(self.lora_B)")],
    },
    "filter of what stays trainable looks for 'lora.' as in a submodule": {
        "kind": "wrong name in param filter",
        "edits": [("inject.py", 'p.requires_grad_("lora_" in name or head)', 'p.requires_grad_(".lora." in name or head)  # <-- culprit')],
        "expect": {"classifier.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "The adapters' parameters are called lora_A and lora_B.",
    },
    "scaling by integer division becomes 0 for rank > alpha": {
        "kind": "integer division",
        "edits": [("adapters.py", "self.scaling = alpha / r", "self.scaling = alpha // r  # <-- culprit")],
        "run": ["finetune.py", "--rank", "8", "--alpha", "4"],
        "expect": {"*lora_*": "blocked", "classifier.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "4 // 8 is 0 and so the adapters' branch is multiplied by 0.",
    },
}
