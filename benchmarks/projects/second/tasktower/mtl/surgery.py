"""Projection of conflicting task gradients on the shared parameters."""
from __future__ import annotations

import torch


def _flat(grads):
    return torch.cat([g.reshape(-1) for g in grads])


def project(grads_per_task):
    """Remove from each task's gradient its conflicting part along the others."""
    flat = [_flat(g) for g in grads_per_task]
    merged = []
    for i, g in enumerate(flat):
        g = g.clone()
        for j, other in enumerate(flat):
            dot = torch.dot(g, other)
            if i != j and dot < 0:
                g -= dot / other.pow(2).sum().clamp(min=1e-12) * other
        merged.append(g)
    return torch.stack(merged).sum(0)


def write_back(shared, vector):
    offset = 0
    for p in shared:
        n = p.numel()
        p.grad = vector[offset:offset + n].view_as(p).clone()
        offset += n


def backward_with_surgery(losses, shared, optimizer):
    optimizer.zero_grad()
    per_task = []
    for loss in losses:
        loss.backward()
        per_task.append([p.grad.clone() for p in shared])
        for p in shared:
            p.grad = None
    write_back(shared, project(per_task))
