"""Memory is saved by a custom Function that runs a layer in its forward and again in its backward. The layer's parameters are no inputs of
the Function, and its backward asks for the gradient of x only.
Origin: hand-written checkpointing, "inner module gets no gradient"; retold."""
import torch
from torch import nn


class Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, layer):
        ctx.layer = layer
        ctx.save_for_backward(x)
        return layer(x)  # <-- culprit

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            out = ctx.layer(x)
            (grad_x,) = torch.autograd.grad(out, x, grad)  # <-- culprit
        return grad_x, None  # <-- culprit


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.stem = nn.Linear(4, d)
        self.block = nn.Sequential(nn.Linear(d, d), nn.GELU())
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        return self.head(Recompute.apply(torch.tanh(self.stem(x)), self.block))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(7, 4), torch.randint(0, 2, (7,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "stem.weight": "trained",
    "stem.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
    "block.0.weight": "unreachable",
    "block.0.bias": "unreachable",
}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
