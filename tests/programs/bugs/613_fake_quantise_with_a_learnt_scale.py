"""Quantisation-aware training with a learnt scale. fake_quantize_per_tensor_affine "is not differentiable with respect to argument 'scale'",
so the argument was detached.
Origin: quantisation forum, "scale does not receive grad"; retold."""
import torch
from torch import nn


class QLinear(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i) * 0.3)
        self.bias = nn.Parameter(torch.zeros(o))
        self.log_scale = nn.Parameter(torch.tensor(-4.0))
        self.register_buffer("zero_point", torch.zeros((), dtype=torch.int32))

    def forward(self, x):
        scale = self.log_scale.exp()
        w = torch.fake_quantize_per_tensor_affine(self.weight, scale.detach(), self.zero_point, -128, 127)  # <-- culprit
        return nn.functional.linear(x, w, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(QLinear(5, 8), nn.ReLU(), QLinear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(16, 5), torch.randint(0, 2, (16,)))


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


KIND = "forward"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "0.log_scale": "unreachable",
    "2.weight": "trained",
    "2.bias": "trained",
    "2.log_scale": "unreachable",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
