"""A physics surrogate is called through torch.func, "so that the weights are explicit". The mapping given to functional_call
is model.state_dict(), whose tensors are detached.
Origin: "functional_call and state_dict, grads are None" threads on discuss.pytorch.org; retold."""
import torch
from torch import nn
from torch.func import functional_call


class Surrogate(nn.Module):
    def __init__(self, d=5, h=12):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, h), nn.GELU(), nn.Linear(h, h), nn.GELU())
        self.head = nn.Linear(h, 2)

    def forward(self, x):
        return self.head(self.body(x))


class Calibrated(nn.Module):
    def __init__(self):
        super().__init__()
        self.surrogate = Surrogate()
        self.log_scale = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        weights = self.surrogate.state_dict()  # <-- culprit
        raw = functional_call(self.surrogate, weights, (x,))
        return raw * self.log_scale.exp()


def make():
    torch.manual_seed(0)
    model = Calibrated()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    return model, optimizer, (torch.randn(12, 5), torch.randn(12, 2))


def loss_fn(model, batch):
    x, y = batch
    return (model(x) - y).square().mean()


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return model, losses


KIND = "forward"
EXPECT = {
    "log_scale": "trained",
    "surrogate.body.0.weight": "unreachable",
    "surrogate.body.0.bias": "unreachable",
    "surrogate.body.2.weight": "unreachable",
    "surrogate.body.2.bias": "unreachable",
    "surrogate.head.weight": "unreachable",
    "surrogate.head.bias": "unreachable",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
