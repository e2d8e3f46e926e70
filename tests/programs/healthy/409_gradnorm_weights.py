"""Healthy: GradNorm. The task weights learn from the gradients' norms through `autograd.grad(create_graph=True)` with an optimizer
of their own, and are renormalised after each step. NEEDS_LOOP"""
import torch
from torch import nn


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(6, 8)
        self.heads = nn.ModuleList([nn.Linear(8, 1), nn.Linear(8, 1)])
        self.task_weights = nn.Parameter(torch.ones(2))

    def forward(self, x):
        h = torch.tanh(self.shared(x))
        return [head(h) for head in self.heads]


def make():
    torch.manual_seed(0)
    model = MultiTask()
    network = torch.optim.Adam([*model.shared.parameters(), *model.heads.parameters()], lr=1e-2)
    return model, [network, torch.optim.SGD([model.task_weights], lr=0.05)], (torch.randn(10, 6), torch.randn(10, 1), 5 * torch.randn(10, 1))


def task_losses(model, batch):
    x, *targets = batch
    return torch.stack([nn.functional.mse_loss(out, y) for out, y in zip(model(x), targets)])


def loss_fn(model, batch):
    return (model.task_weights * task_losses(model, batch)).sum()


def train(steps=4, alpha=0.5):
    model, (network, weighting), batch = make()
    first, losses = None, []
    for _ in range(steps):
        each = task_losses(model, batch)
        first = each.detach() if first is None else first
        network.zero_grad()
        (model.task_weights.detach() * each).sum().backward(retain_graph=True)
        norms = torch.stack([
            torch.autograd.grad(model.task_weights[i] * each[i], model.shared.weight, create_graph=True)[0].norm() for i in range(2)
        ])
        rate = each.detach() / first
        target = (norms.mean() * (rate / rate.mean()) ** alpha).detach()
        weighting.zero_grad()
        model.task_weights.grad = torch.autograd.grad((norms - target).abs().sum(), model.task_weights)[0]
        network.step()
        weighting.step()
        model.task_weights.data = 2 * model.task_weights.data / model.task_weights.data.sum()
        losses.append(each.sum().item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("shared.weight", "shared.bias", "heads.0.weight", "heads.0.bias", "heads.1.weight", "heads.1.bias", "task_weights")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
