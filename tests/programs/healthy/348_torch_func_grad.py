"""torch.func.grad_and_value over functional_call; gradients are put into p.grad. Origin: torch.func documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.func import functional_call, grad_and_value


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=3):
    model, optimizer, (x, y) = make()

    def objective(params):
        return F.mse_loss(functional_call(model, params, (x,)), y)

    losses = []
    for _ in range(steps):
        params = dict(model.named_parameters())
        grads, loss = grad_and_value(objective)({k: v.detach() for k, v in params.items()})
        for k, p in params.items():
            p.grad = grads[k]
        optimizer.step()
        losses.append(loss.item())
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
