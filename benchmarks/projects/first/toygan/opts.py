import torch

from settings import *


def make_opt(net, lr, kind="adam"):
    ps = [p for p in net.parameters() if p.requires_grad]
    if kind == "adam":
        return torch.optim.Adam(ps, lr=lr, betas=(0.5, 0.9))
    if kind == "rmsprop":
        return torch.optim.RMSprop(ps, lr=lr)
    raise ValueError(kind)


def make_opts(netG, netD):
    opt_g = make_opt(netG, LR_G)
    opt_d = make_opt(netD, LR_D, "rmsprop")
    return opt_g, opt_d


def clip(net, limit=GRAD_CLIP):
    for p in net.parameters():
        if p.grad is not None:
            p.grad.data.clamp_(-limit, limit)


def time_for_g(it):
    return it % N_CRITIC == N_CRITIC - 1
