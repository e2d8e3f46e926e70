"""Healthy: leaky integrate-and-fire neurons; the step function has a surrogate derivative in a custom Function."""
import torch
from torch import nn


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).float()

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad / (1 + 5 * v.abs()) ** 2


class LIF(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.fc = nn.Linear(d_in, d_out)
        self.decay = nn.Parameter(torch.tensor(2.0))

    def forward(self, xs):
        v, out = torch.zeros(xs.size(1), self.fc.out_features), []
        for x in xs:
            v = v * torch.sigmoid(self.decay) + self.fc(x)
            s = Spike.apply(v - 0.5)
            v = v - s.detach() * 0.5
            out.append(s)
        return torch.stack(out)


def make():
    torch.manual_seed(0)
    net = nn.Sequential(LIF(5, 16), LIF(16, 3))
    return net, torch.optim.Adam(net.parameters(), lr=1e-2), (torch.rand(6, 8, 5) * 2, torch.randint(0, 3, (8,)))


def loss_fn(net, batch):
    return nn.functional.cross_entropy(net(batch[0]).mean(0) * 5, batch[1])


def train(steps=3):
    net, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in range(2) for n in ("fc.weight", "fc.bias", "decay")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
