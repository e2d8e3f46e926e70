"""Domain adversarial training with a gradient reversal Function, and the weight of the adversary computed from gradient norms, detached.
Origin: DANN; the adaptive weight is that of VQGAN."""
import torch
from torch import nn
import torch.nn.functional as F


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.strength * grad, None


class DANN(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat = nn.Linear(6, 8)
        self.label = nn.Linear(8, 3)
        self.domain = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1))

    def forward(self, x, strength):
        h = torch.tanh(self.feat(x))
        return self.label(h), self.domain(Reverse.apply(h, strength)).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = DANN()
    domain = torch.cat([torch.zeros(8), torch.ones(8)])
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(16, 6), torch.randint(0, 3, (8,)), domain)


def loss_fn(model, batch):
    x, y, domain = batch
    logits, who = model(x, 0.3)
    task = F.cross_entropy(logits[:8], y)
    adversary = F.binary_cross_entropy_with_logits(who, domain)
    g_task = torch.autograd.grad(task, model.feat.weight, retain_graph=True)[0]
    g_adv = torch.autograd.grad(adversary, model.feat.weight, retain_graph=True)[0]
    weight = (g_task.norm() / (g_adv.norm() + 1e-4)).clamp(0, 10).detach()
    return task + weight * adversary


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "feat.weight": "trained",
    "feat.bias": "trained",
    "label.weight": "trained",
    "label.bias": "trained",
    "domain.0.weight": "trained",
    "domain.0.bias": "trained",
    "domain.2.weight": "trained",
    "domain.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
