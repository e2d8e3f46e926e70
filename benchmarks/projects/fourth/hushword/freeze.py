from contextlib import contextmanager


def thaw(module):
    """From now on the module learns."""
    for p in module.parameters():
        p.requires_grad = True


@contextmanager
def held(*modules):
    """Keeps modules fixed inside the block, then gives every parameter its former flag."""
    params = [p for m in modules for p in m.parameters()]
    flags = [p.requires_grad for p in params]
    for p in params:
        p.requires_grad = False
    try:
        yield
    finally:
        for p, flag in zip(params, flags):
            p.requires_grad = flag
