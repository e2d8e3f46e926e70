"""Low-rank adapters put into a small transformer by layer names, YAML."""
RUN = ["train.py"]
EXPECT = {"*.lora_A": "trained", "*.lora_B": "trained", "head.*": "trained", "norm.*": "trained", "*": "frozen"}
INTENT = ["embed.*", "*.base.*", "*.attn.k.*", "*.attn.o.*", "*.mlp.down.*", "*.ln1.*", "*.ln2.*"]
MISTAKES = {
    "module to train in full misspelt": {
        "kind": "name pattern misspelt",
        "edits": [("config.yaml", "  modules_to_save: [head, norm]", "  modules_to_save: [heads, norm]  # <-- culprit")],
        "expect": {"*.lora_A": "trained", "*.lora_B": "trained", "norm.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "No parameter is under heads; the classifier stays frozen without a word.",
    },
    "both factors start at zero": {
        "kind": "zero init of both factors",
        "edits": [("lora.py", "nn.init.normal_(self.lora_A, std=0.3)", "nn.init.zeros_(self.lora_A)  # <-- culprit")],
        "expect": {"*.lora_A": "blocked", "*.lora_B": "blocked", "head.*": "trained", "norm.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "The gradient of each factor is a product with the other, which is zero.",
        "also": [("lora.py", "nn.init.zeros_(self.lora_B)")],
    },
    "group of the A factors asks for a lower-case name": {
        "kind": "letter case in name test",
        "edits": [("optim.py", 'slow = [p for n, p in named if n.endswith("lora_A")]', 'slow = [p for n, p in named if n.endswith("lora_a")]  # <-- culprit')],
        "expect": {"*.lora_A": "excluded", "*.lora_B": "trained", "head.*": "trained", "norm.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "No name ends with lora_a; the group is empty and the A factors are in no group.",
    },
    "scale of the adapters by integer division": {
        "kind": "integer division",
        "edits": [("lora.py", "self.scale = alpha / rank", "self.scale = alpha // rank  # <-- culprit")],
        "expect": {"*.lora_A": "blocked", "*.lora_B": "blocked", "head.*": "trained", "norm.*": "trained", "*": "frozen"}, "codes": set(),
        "culprit_note": "2 // 4 is 0; the adapters are multiplied by 0.",
    },
}
