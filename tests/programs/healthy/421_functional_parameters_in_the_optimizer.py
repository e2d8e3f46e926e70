"""Healthy: the module is a mere skeleton on the meta device; a dict of tensors is called through functional_call and optimised.
NEEDS_LOOP"""
import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap


def make():
    torch.manual_seed(0)
    members = [nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1)) for _ in range(4)]
    params, buffers = stack_module_state(members)
    skeleton = copy.deepcopy(members[0]).to("meta")
    return skeleton, torch.optim.Adam(params.values(), lr=1e-2), (torch.randn(12, 3), torch.randn(12, 1), params, buffers)


def loss_fn(skeleton, batch):
    x, y, params, buffers = batch
    out = vmap(lambda p, b: functional_call(skeleton, (p, b), (x,)))(params, buffers)
    return (out - y).square().mean(dim=(1, 2)).sum()


def train(steps=3):
    skeleton, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(skeleton, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return skeleton, losses


KIND = "healthy"
EXPECT = {}
CAUSE = "healthy"
INTENT = {"skeleton.*": "a skeleton", "[024].*": "a skeleton", "members*": "taken apart"}

if __name__ == "__main__":
    train()
