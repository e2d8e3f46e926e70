import torch

from .registry import OPTIMIZERS


@OPTIMIZERS.register("adam")
def adam(params, lr, betas):
    return torch.optim.Adam(params, lr=lr, betas=tuple(betas))


def build_optimizers(model, cfg):
    spec = dict(cfg["optim"])
    name = spec.pop("name")
    opt_d = OPTIMIZERS.build(name, model.discriminator.parameters(), **spec)
    opt_g = OPTIMIZERS.build(name, model.generator.parameters(), **spec)
    return opt_d, opt_g
