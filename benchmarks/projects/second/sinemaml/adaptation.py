import torch
import torch.nn.functional as F


def inner_update(learner, weights, loss, second_order):
    names = list(weights)
    grads = torch.autograd.grad(loss, [weights[n] for n in names], create_graph=second_order)
    return {n: weights[n] - learner.rates.rate(n) * g for n, g in zip(names, grads)}


def adapt(learner, x, y, steps, second_order=True):
    weights = learner.initial()
    for _ in range(steps):
        loss = F.mse_loss(learner.predict(x, weights), y)
        weights = inner_update(learner, weights, loss, second_order)
    return weights


def query_loss(learner, task, opt):
    weights = adapt(learner, *task.draw(opt.shots), steps=opt.inner_steps, second_order=not opt.first_order)
    x, y = task.draw(opt.shots)
    return F.mse_loss(learner.predict(x, weights), y)
