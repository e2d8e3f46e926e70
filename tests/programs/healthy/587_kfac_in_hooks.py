"""A preconditioner gathers activations and output gradients in hooks and rewrites `.grad` before SGD steps.
Origin: K-FAC implementations."""
import torch
from torch import nn
import torch.nn.functional as F


class Preconditioner:
    def __init__(self, model, damping=0.1):
        self.damping, self.a, self.g = damping, {}, {}
        self.layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
        for layer in self.layers:
            layer.register_forward_pre_hook(self._inputs)
            layer.register_full_backward_hook(self._outputs)

    def _inputs(self, layer, args):
        if torch.is_grad_enabled():
            x = args[0].detach()
            x = torch.cat([x, x.new_ones(len(x), 1)], 1)
            self.a[layer] = x.t() @ x / len(x)

    def _outputs(self, layer, grad_in, grad_out):
        g = grad_out[0].detach() * len(grad_out[0])
        self.g[layer] = g.t() @ g / len(g)

    @torch.no_grad()
    def step(self):
        for layer in self.layers:
            grad = torch.cat([layer.weight.grad, layer.bias.grad[:, None]], 1)
            eye = lambda m: self.damping * torch.eye(len(m))
            grad = torch.linalg.solve(self.g[layer] + eye(self.g[layer]), grad)
            grad = torch.linalg.solve(self.a[layer] + eye(self.a[layer]), grad.t()).t()
            layer.weight.grad.copy_(grad[:, :-1])
            layer.bias.grad.copy_(grad[:, -1])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.03), (torch.randn(24, 4), torch.randint(0, 3, (24,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    preconditioner = Preconditioner(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        preconditioner.step()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
