"""A schedule-free optimizer keeps two points; `eval()` and `train()` move the parameters between them around each
validation. Origin: Defazio et al. 2024."""
import torch
from torch import nn
import torch.nn.functional as F


class ScheduleFree(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, beta=0.9):
        super().__init__(params, dict(lr=lr, beta=beta, k=0, train=True))

    @torch.no_grad()
    def _move(self, weight, train):
        for group in self.param_groups:
            if group["train"] == train:
                continue
            for p in group["params"]:
                if "z" in self.state[p]:
                    p.lerp_(self.state[p]["z"], weight(group["beta"]))
            group["train"] = train

    def eval(self):
        self._move(lambda beta: 1 - 1 / beta, False)

    def train(self):
        self._move(lambda beta: 1 - beta, True)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            c = 1 / (group["k"] + 1)
            for p in group["params"]:
                if p.grad is None:
                    continue
                z = self.state[p].setdefault("z", p.clone())
                p.lerp_(z, c)
                p.add_(p.grad, alpha=group["lr"] * (group["beta"] * (1 - c) - 1))
                z.sub_(p.grad, alpha=group["lr"])
            group["k"] += 1


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 1))
    return model, ScheduleFree(model.parameters()), (torch.randn(16, 4), torch.randn(16, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(epochs=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(epochs):
        model.train()
        optimizer.train()
        for _ in range(2):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
        model.eval()
        optimizer.eval()
        with torch.inference_mode():
            losses.append(loss_fn(model, batch).item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
