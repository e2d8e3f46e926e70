"""A hypernetwork generates the last layer of a small network, which is run by functional_call. The names are those of
another library, which the network does not know; functional_call is not strict.
Origin: "torch.func.functional_call ignores my weights" question; retold."""
import torch
from torch import nn
from torch.func import functional_call


class Hyper(nn.Module):
    def __init__(self, z=4):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
        self.code = nn.Parameter(torch.randn(z))
        self.hyper = nn.Linear(z, 6 + 1)

    def forward(self, x):
        made = self.hyper(self.code)
        weights = {"2.kernel": made[:6].view(1, 6), "2.offset": made[6:]}  # <-- culprit
        return functional_call(self.main, weights, (x,))


def make():
    torch.manual_seed(0)
    model = Hyper()
    x = torch.randn(16, 3)
    return model, torch.optim.Adam(model.parameters(), lr=5e-3), (x, x.prod(-1, keepdim=True))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "forward"
EXPECT = {
    "code": "unreachable",
    "main.0.weight": "trained",
    "main.0.bias": "trained",
    "main.2.weight": "trained",
    "main.2.bias": "trained",
    "hyper.weight": "unreachable",
    "hyper.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
