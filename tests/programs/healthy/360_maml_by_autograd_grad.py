"""First-order MAML: autograd.grad on a functional copy; outer loss accumulates over tasks. Origin: learn2learn-like code."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.func import functional_call


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.linspace(-1, 1, 8)[:, None]
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), [(x, torch.sin(2 * x + k)) for k in range(3)]


def task_loss(model, x, y, lr=0.1):
    params = dict(model.named_parameters())
    inner = F.mse_loss(functional_call(model, params, (x,)), y)
    grads = torch.autograd.grad(inner, params.values(), create_graph=False)
    fast = {k: p - lr * g for (k, p), g in zip(params.items(), grads)}
    return F.mse_loss(functional_call(model, fast, (x,)), y)


def loss_fn(model, tasks):
    return sum(task_loss(model, x, y) for x, y in tasks)


def train(steps=3):
    model, optimizer, tasks = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        total = 0.0
        for x, y in tasks:
            loss = task_loss(model, x, y) / len(tasks)
            loss.backward()
            total += loss.item()
        optimizer.step()
        losses.append(total)
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
