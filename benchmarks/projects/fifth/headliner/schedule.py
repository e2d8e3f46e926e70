import torch


def lr_at(opt, step):
    """Linear warmup, after that exponential decay."""
    if step < opt.warmup:
        return opt.lr * float(step + 1) / opt.warmup
    return opt.lr * opt.decay ** (step - opt.warmup)


def make_optimizer(model):
    # the rate is set before every update, see adjust_lr
    return torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)


def adjust_lr(optimizer, opt, step):
    lr = lr_at(opt, step)
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr
