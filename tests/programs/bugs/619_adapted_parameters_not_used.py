"""MAML with learnt inner rates (Meta-SGD). The query loss is computed with the parameters before the inner step.
Origin: a meta-learning notebook, "inner lr does not change"; retold."""
import torch
from torch import nn
from torch.func import functional_call, grad


class MetaSGD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.inner_lr = nn.ParameterDict({n.replace(".", "_"): nn.Parameter(torch.full_like(p, 0.05)) for n, p in self.net.named_parameters()})

    def task_loss(self, params, x, y):
        return nn.functional.mse_loss(functional_call(self.net, params, (x,)), y)

    def forward(self, support, query):
        params = dict(self.net.named_parameters())
        grads = grad(self.task_loss)(params, *support)
        fast = {n: p - self.inner_lr[n.replace(".", "_")] * grads[n] for n, p in params.items()}
        return self.task_loss(params, *query)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = MetaSGD()
    x = torch.rand(20, 1) * 6 - 3
    y = torch.sin(x)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), ((x[:10], y[:10]), (x[10:], y[10:]))


def loss_fn(model, batch):
    return model(*batch)


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


KIND = "loss"
EXPECT = {
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
    "inner_lr.0_bias": "unreachable",
    "inner_lr.0_weight": "unreachable",
    "inner_lr.2_bias": "unreachable",
    "inner_lr.2_weight": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
