"""gradient hooks and warm-up"""
from common import WARM, state


def ramp():
    """0..1 over the first WARM iterations"""
    return min(1.0, (state["it"] + 1) / WARM)


def ramp_gradients(module):
    """scale the gradients of a module's parameters while warming up"""
    for p in module.parameters():
        p.register_hook(lambda g: g * ramp())


def set_lr(opt, base):
    for group in opt.param_groups:
        group["lr"] = base * (0.97 ** state["it"])
