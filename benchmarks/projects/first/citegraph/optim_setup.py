import torch

# slower learning for the attention
GROUPS = {
    "conv": dict(lr=1e-2, betas=(0.9, 0.99)),
    "att": dict(lr=5e-3, betas=(0.9, 0.999)),
    "skip": dict(lr=1e-2, betas=(0.9, 0.999)),
}


def grouped(model):
    groups = []
    for prefix, opts in GROUPS.items():
        ps = [p for n, p in model.named_parameters() if n.startswith(prefix)]
        if ps:
            groups.append(dict(params=ps, **opts))
    return groups


def get_optimizer(model):
    return torch.optim.Adam(grouped(model))
