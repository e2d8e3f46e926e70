"""Inner loop: a few gradient steps on the support set, kept differentiable."""
import torch
from torch.func import functional_call


def task_loss(net, weights, x, y):
    return (functional_call(net, weights, (x,)) - y).pow(2).mean()


def adapt(meta, x, y, n_steps, fallback):
    fast = meta.start()
    for _ in range(n_steps):
        loss = task_loss(meta.net, fast, x, y)
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
        moved = {}
        for (name, w), g in zip(fast.items(), grads):
            moved[name] = w - meta.rate_of(name, fallback) * g
        fast = moved
    return fast


def episode(meta, task, n_steps, fallback):
    (xs, ys), (xq, yq) = task
    fast = adapt(meta, xs, ys, n_steps, fallback)
    return task_loss(meta.net, fast, xq, yq)
