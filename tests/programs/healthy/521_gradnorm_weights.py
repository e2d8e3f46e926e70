"""GradNorm: task weights are learnt by their own optimizer from the norms of the shared layer's gradients, and detached in the model's loss.
Origin: Chen et al. 2018."""
import torch
from torch import nn
import torch.nn.functional as F


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(5, 7)
        self.a, self.b = nn.Linear(7, 1), nn.Linear(7, 1)
        self.weights = nn.Parameter(torch.ones(2))

    def forward(self, x):
        h = torch.tanh(self.shared(x))
        return self.a(h), self.b(h)


def make():
    torch.manual_seed(0)
    model = Two()
    main = [p for n, p in model.named_parameters() if n != "weights"]
    optimizers = [torch.optim.Adam(main, lr=1e-2), torch.optim.Adam([model.weights], lr=1e-2)]
    return model, optimizers, (torch.randn(10, 5), torch.randn(10, 1), 5 * torch.randn(10, 1))


def task_losses(model, batch):
    x, y, z = batch
    a, b = model(x)
    return torch.stack([F.mse_loss(a, y), F.mse_loss(b, z)])


def loss_fn(model, batch):
    losses = task_losses(model, batch)
    norms = torch.stack(
        [
            torch.autograd.grad(w * l, model.shared.weight, retain_graph=True, create_graph=True)[0].norm()
            for w, l in zip(model.weights, losses)
        ]
    )
    balance = (norms - norms.mean().detach()).abs().sum()
    (model.weights_grad,) = torch.autograd.grad(balance, model.weights, retain_graph=True)
    return (model.weights.detach() * losses).sum()


def train(steps=3):
    model, (main, balance), batch = make()
    history = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        main.zero_grad()
        loss.backward()
        model.weights.grad = model.weights_grad
        main.step()
        balance.step()
        with torch.no_grad():
            model.weights.mul_(2 / model.weights.sum())
        history.append(loss.item())
    return model, history


NEEDS_LOOP = True
KIND = "healthy"
EXPECT = {
    "shared.weight": "trained",
    "shared.bias": "trained",
    "a.weight": "trained",
    "a.bias": "trained",
    "b.weight": "trained",
    "b.bias": "trained",
    "weights": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
