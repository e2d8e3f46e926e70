"""Federated averaging between hospitals, personal heads, dataclass tree."""
RUN = ["simulate.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "prefix of the shared tensors matches nothing, the merged (empty) state is loaded with strict=False": {
        "kind": "strict=False load of nothing",
        "edits": [("plan.py", 'shared: str = "encoder."  #', 'shared: str = "backbone."  # <-- culprit\n    #')],
        "expect": {"encoder.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "No tensor starts with backbone.; every round the encoder goes back to its former state.",
        "also": [("server.py", "self.net.load_state_dict(weighted_mean(reports, sizes), strict=False)"),
                 ("client.py", "return {k: v.clone() for k, v in net.state_dict().items() if k.startswith(self.plan.shared)}")],
    },
    "own heads listed under names the sites do not have": {
        "kind": "lookup key never matches",
        "edits": [("plan.py", 'own_heads: tuple[str, ...] = ("lakeside", "northgate")',
                   'own_heads: tuple[str, ...] = ("Lakeside", "Northgate")  # <-- culprit')],
        "expect": {"heads.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Letter case differs; all sites silently use the common head.",
        "also": [("nets.py", "return self.heads[site] if site in self.heads else self.common")],
    },
    "local optimizer gets the encoder only": {
        "kind": "parameter not given to optimizer",
        "edits": [("client.py", "params = [*net.encoder.parameters(), *net.head_for(self.key).parameters()]",
                   "params = net.encoder.parameters()  # <-- culprit"),
                  ("plan.py", "heads_only_rounds: int = 1", "heads_only_rounds: int = 0")],
        "expect": {"encoder.*": "trained", "*": "excluded"}, "codes": set(),
        "culprit_note": "The site's head is forgotten.",
    },
    "comparison instead of assignment, after an unconditional freeze": {
        "kind": "comparison instead of assignment",
        "edits": [("nets.py", "        p.requires_grad = flag\n", "        p.requires_grad = False\n        if flag:\n            p.requires_grad == True  # <-- culprit\n")],
        "expect": {"encoder.*": "frozen", "*": "trained"}, "codes": set(),
        "culprit_note": "== does nothing; the encoder is never thawed.",
        "also": [("nets.py", "p.requires_grad = False")],
    },
}
