"""An ensemble trained as stacked parameters through vmap; the stacked tensors are the module's parameters. Origin: torch.func ensembling tutorial."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.func import functional_call, stack_module_state, vmap


class Ensemble(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        nets = [nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)) for _ in range(n)]
        params, _ = stack_module_state(nets)
        self.names = list(params)
        self.stacked = nn.ParameterList([nn.Parameter(params[k].detach().clone()) for k in self.names])
        object.__setattr__(self, "skeleton", nets[0].to("meta"))

    def forward(self, x):
        params = dict(zip(self.names, self.stacked))
        return vmap(lambda p: functional_call(self.skeleton, p, (x,)))(params)


def make():
    torch.manual_seed(0)
    model = Ensemble()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, b):
    return (model(b[0]) - b[1]).square().mean((1, 2)).sum()


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


KIND = "healthy"
EXPECT = {
    "stacked.0": "trained",
    "stacked.1": "trained",
    "stacked.2": "trained",
    "stacked.3": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
