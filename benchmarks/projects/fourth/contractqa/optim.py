import torch


def param_groups(model, lr, b_ratio):
    """The B factors learn faster than the A factors."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    slow = [p for n, p in named if n.endswith("lora_A")]
    fast = [p for n, p in named if n.endswith("lora_B")]
    rest = [p for n, p in named if "lora_" not in n]
    return [
        {"params": slow, "lr": lr},
        {"params": fast, "lr": lr * b_ratio},
        {"params": rest, "lr": lr},
    ]


def make_optimizer(model, lr, b_ratio):
    return torch.optim.AdamW(param_groups(model, lr, b_ratio), weight_decay=0.0)
