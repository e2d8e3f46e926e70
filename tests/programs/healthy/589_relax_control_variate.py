"""A learned control variate: its parameters descend on the variance of the gradient that the other ones receive.
Origin: RELAX / LAX (Grathwohl et al. 2018). NEEDS_LOOP"""
import torch
from torch import nn


class Estimator(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(6))
        self.variate = nn.Sequential(nn.Linear(6, 10), nn.Tanh(), nn.Linear(10, 1, bias=False))


def make():
    torch.manual_seed(0)
    model = Estimator()
    optimizers = [torch.optim.Adam([model.logits], lr=5e-2), torch.optim.Adam(model.variate.parameters(), lr=1e-2)]
    return model, optimizers, torch.rand(6)


def objective(b, target):
    return (b - target).square().mean(1)


def loss_fn(model, target):
    b = torch.bernoulli(torch.sigmoid(model.logits).expand(16, -1))
    return objective(b, target).mean() + 0 * model.variate(b).sum()


def estimate(model, target, n=16):
    u = torch.rand(n, 6).clamp(1e-4, 1 - 1e-4)
    z = model.logits + torch.logit(u)
    b = (z > 0).float()
    logp = torch.distributions.Bernoulli(logits=model.logits.expand(n, -1)).log_prob(b).sum(1)
    f, c = objective(b, target), model.variate(torch.sigmoid(z)).squeeze(1)
    surrogate = ((f - c).detach() * logp).mean()
    score = torch.autograd.grad(logp.mean(), model.logits, retain_graph=True, create_graph=True)[0]
    direct = torch.autograd.grad(surrogate, model.logits, retain_graph=True)[0]
    path = torch.autograd.grad(c.mean(), model.logits, create_graph=True)[0]
    return f.mean(), direct + path - c.mean() * score.detach()


def train(steps=6):
    model, (outer, inner), target = make()
    losses = []
    for _ in range(steps):
        value, gradient = estimate(model, target)
        inner.zero_grad()
        gradient.square().mean().backward(inputs=list(model.variate.parameters()))
        model.logits.grad = gradient.detach()
        outer.step()
        inner.step()
        losses.append(value.item())
    return model, losses


KIND = "healthy"
EXPECT = {"logits": "trained", "variate.0.weight": "trained", "variate.0.bias": "trained", "variate.2.weight": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
