"""A detector: backbone, transformer, matcher, a criterion with weighted terms. Run with `-m`."""

RUN = ["-m", "detr.main", "--epochs", "1"]
FROZEN = {"*backbone.0.body.conv1.weight": "frozen", "*backbone.0.body.layer1.*": "frozen"}
EXPECT = {**FROZEN, "*": "trained"}
INTENT: list[str] = []
MISTAKES = {
    "the weight of the boxes has another key": {
        "edits": [
            (
                "detr/models/detr.py",
                'weight_dict = {"loss_ce": 1, "loss_bbox": args.bbox_loss_coef}',
                'weight_dict = {"loss_ce": 1, "bbox": args.bbox_loss_coef}',
            ),
            (
                "detr/engine.py",
                "losses = sum(loss_dict[k] * weight_dict[k] for k in loss_dict.keys() if k in weight_dict)",
                "losses = sum(loss_dict[k] * weight_dict[k] for k in loss_dict.keys() if k in weight_dict)"
                "  # <-- culprit",
            ),
        ],
        "expect": {**FROZEN, "*bbox_embed.*": "unreachable", "*": "trained"},
        "codes": {"FXA103"},
    },
    "the loss of the boxes runs without gradients, as the matcher does": {
        "edits": [
            (
                "detr/models/detr.py",
                "    def loss_boxes(self",
                "    @torch.no_grad()  # <-- culprit\n    def loss_boxes(self",
            )
        ],
        "expect": {**FROZEN, "*bbox_embed.*": "unreachable", "*": "trained"},
        "codes": {"FXA105"},
    },
    "the decoder does not hand on the queries": {
        "edits": [
            (
                "detr/models/transformer.py",
                "output = layer(output, memory, pos=pos, query_pos=query_pos)",
                "output = layer(output, memory, pos=pos)  # <-- culprit",
            )
        ],
        # Without the queries the first layer attends to zeros only.
        "expect": {
            **FROZEN,
            "*query_embed.weight": "unreachable",
            "*decoder.layers.0.self_attn.in_proj_weight": "blocked",
            "*": "trained",
        },
        "codes": {"FXA103"},
    },
    "the group of the backbone lets nothing through": {
        "edits": [
            (
                "detr/main.py",
                '"params": [p for n, p in model.named_parameters() if "backbone" in n and p.requires_grad],',
                '"params": [p for n, p in model.named_parameters() if n.startswith("backbone.body") and '
                "p.requires_grad],  # <-- culprit",
            )
        ],
        "expect": {**FROZEN, "*backbone.*": "excluded", "*": "trained"},
        "codes": {"FXA301"},
    },
}
