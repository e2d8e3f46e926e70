import torch


def split_decay(model):
    decay, plain = [], []
    for name, p in model.named_parameters():
        if p.ndim < 2 or name.startswith("emb_"):
            plain.append(p)
        else:
            decay.append(p)
    return decay, plain


def make_optimizer(model, lr, weight_decay):
    decay, plain = split_decay(model)
    return torch.optim.AdamW([
        {"params": decay, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ], lr=lr)
