"""LSQ: a custom Function with a gradient for the step, the gradient scaled by a small trick with detach, a straight-through clamp of the
activations, and a mask that is marked as not differentiable.
Origin: an LSQ implementation, reduced."""
import torch
from torch import nn


class Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, step, low, high):
        scaled = x / step
        inside = (scaled >= low) & (scaled <= high)
        ctx.save_for_backward(scaled, inside)
        ctx.bounds = low, high
        ctx.mark_non_differentiable(inside)
        return scaled.round().clamp(low, high) * step, inside

    @staticmethod
    def backward(ctx, grad, _):
        scaled, inside = ctx.saved_tensors
        low, high = ctx.bounds
        slope = torch.where(inside, scaled.round() - scaled, scaled.clamp(low, high).round())
        return grad * inside, (grad * slope).sum().reshape(1), None, None


class QLinear(nn.Linear):
    def __init__(self, i, o):
        super().__init__(i, o)
        self.w_step = nn.Parameter(self.weight.detach().abs().mean().reshape(1) / 4)
        self.a_step = nn.Parameter(torch.tensor([0.2]))

    def quantise(self, x, step, low, high):
        factor = (x.numel() * high) ** -0.5
        step = (step - step * factor).detach() + step * factor
        value, inside = Quantise.apply(x, step, low, high)
        self.share = inside.float().mean()
        return value

    def forward(self, x):
        return nn.functional.linear(self.quantise(x, self.a_step, 0, 15), self.quantise(self.weight, self.w_step, -8, 7), self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 10), nn.ReLU(), QLinear(10, 8), nn.ReLU(), QLinear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(24, 5), torch.randint(0, 2, (24,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
    "2.w_step": "trained",
    "2.a_step": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
    "4.w_step": "trained",
    "4.a_step": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
