"""A hand-written optimizer leaves its loop with `return` where a parameter has no gradient; it should go on with the next one.
Origin: custom optimizer questions; retold."""
import torch
from torch import nn


class SignMomentum(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-2, beta=0.9):
        super().__init__(params, dict(lr=lr, beta=beta))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    return  # <-- culprit
                state = self.state[p]
                if "m" not in state:
                    state["m"] = torch.zeros_like(p)
                state["m"].mul_(group["beta"]).add_(p.grad, alpha=1 - group["beta"])
                p.add_(state["m"].sign(), alpha=-group["lr"])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask_token = nn.Parameter(torch.zeros(5))
        self.body = nn.Sequential(nn.Linear(5, 6), nn.Tanh())
        self.head = nn.Linear(6, 2)

    def forward(self, x, masked=None):
        if masked is not None:
            x = torch.where(masked[:, None], self.mask_token, x)
        return self.head(self.body(x))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, SignMomentum(model.parameters()), (torch.randn(9, 5), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "mask_token": "unreachable",
    "body.0.weight": "blocked",
    "body.0.bias": "blocked",
    "head.weight": "blocked",
    "head.bias": "blocked",
}
CAUSE = "other"

if __name__ == "__main__":
    train()
