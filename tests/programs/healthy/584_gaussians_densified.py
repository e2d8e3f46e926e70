"""Points are split and pruned while training: each Parameter is replaced in the module and in the optimizer's group, with its state.
Origin: 3D Gaussian Splatting's densification. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Splats(nn.Module):
    def __init__(self, n=5):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(n, 2))
        self.scale = nn.Parameter(torch.zeros(n))
        self.colour = nn.Parameter(torch.rand(n))

    def forward(self, at):
        weight = torch.exp(-torch.cdist(at, self.mean).square() / self.scale.exp())
        return weight @ self.colour


def make():
    torch.manual_seed(0)
    model = Splats()
    groups = [{"params": [p], "name": n, "lr": lr} for (n, p), lr in zip(model.named_parameters(), (0.05, 0.01, 0.02))]
    at = torch.rand(40, 2) * 2 - 1
    return model, torch.optim.Adam(groups, lr=0.0, eps=1e-15), (at, torch.sin(3 * at[:, 0]))


def loss_fn(model, batch):
    return F.l1_loss(model(batch[0]), batch[1])


def replace(model, optimizer, choose):
    for group in optimizer.param_groups:
        old = group["params"][0]
        state = optimizer.state.pop(old, None)
        new = nn.Parameter(choose(old.detach()))
        if state is not None:
            state["exp_avg"] = choose(state["exp_avg"])
            state["exp_avg_sq"] = choose(state["exp_avg_sq"])
            optimizer.state[new] = state
        group["params"][0] = new
        setattr(model, group["name"], new)


def train(steps=12):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        with torch.no_grad():
            hot = model.mean.grad.norm(dim=1).argsort(descending=True)[:2]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 4 == 3:
            replace(model, optimizer, lambda t: torch.cat([t, t[hot].clone()]))
            keep = torch.arange(len(model.mean)) != 0
            replace(model, optimizer, lambda t: t[keep].clone())
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys(("mean", "scale", "colour"), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
