import torch


def is_embedding(name):
    return name.startswith(("label", "null_label", "time_mlp"))


def make_groups(model, conf):
    cond = [p for n, p in model.named_parameters() if is_embedding(n)]
    rest = [p for n, p in model.named_parameters() if not is_embedding(n)]
    print("parameters: trunk", sum(p.numel() for p in rest), "conditioning", sum(p.numel() for p in cond))
    return [
        {"params": rest, "lr": conf.lr},
        {"params": cond, "lr": conf.lr * conf.cond_mult},
    ]


def make(model, conf):
    return torch.optim.AdamW(make_groups(model, conf), lr=conf.lr, weight_decay=0.0)
