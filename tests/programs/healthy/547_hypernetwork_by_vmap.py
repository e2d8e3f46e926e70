"""A hypernetwork makes the weights of one small network per task; functional_call under vmap runs them all. The small network's own parameters
live on the meta device, outside the model.
Origin: the torch.func tutorial and a hypernetwork paper, joined."""
import torch
from torch import nn
from torch.func import functional_call, vmap


class Hyper(nn.Module):
    def __init__(self, tasks=4, z=3):
        super().__init__()
        base = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1))
        self.shapes = {n: p.shape for n, p in base.named_parameters()}
        self.skeleton = [base.to("meta").requires_grad_(False)]
        self.codes = nn.Embedding(tasks, z)
        self.body = nn.Linear(z, 8)
        self.heads = nn.ModuleDict({n.replace(".", "_"): nn.Linear(8, s.numel()) for n, s in self.shapes.items()})

    def forward(self, task, x):
        h = torch.relu(self.body(self.codes(task)))
        weights = {n: self.heads[n.replace(".", "_")](h).view(len(task), *s) for n, s in self.shapes.items()}
        return vmap(lambda w, xs: functional_call(self.skeleton[0], w, (xs,)))(weights, x)


def make():
    torch.manual_seed(0)
    model = Hyper()
    x = torch.randn(4, 10, 2)
    return model, torch.optim.Adam(model.parameters(), lr=3e-3), (torch.arange(4), x, x.prod(-1, keepdim=True))


def loss_fn(model, batch):
    task, x, y = batch
    return nn.functional.mse_loss(model(task, x), y)


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
    "codes.weight": "trained",
    "body.weight": "trained",
    "body.bias": "trained",
    "heads.0_weight.weight": "trained",
    "heads.0_weight.bias": "trained",
    "heads.0_bias.weight": "trained",
    "heads.0_bias.bias": "trained",
    "heads.2_weight.weight": "trained",
    "heads.2_weight.bias": "trained",
    "heads.2_bias.weight": "trained",
    "heads.2_bias.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
