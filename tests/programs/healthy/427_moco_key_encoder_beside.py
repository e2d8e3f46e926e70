"""Healthy: momentum contrast; the key encoder is a model of its own, follows by momentum and fills a queue. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


def encoder():
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4))


def make():
    torch.manual_seed(0)
    query = encoder()
    return query, torch.optim.SGD(query.parameters(), lr=0.05, momentum=0.9), torch.randn(10, 6)


def contrast(query, key, queue, x):
    q = F.normalize(query(x + 0.1 * torch.randn_like(x)), dim=1)
    with torch.no_grad():
        k = F.normalize(key(x + 0.1 * torch.randn_like(x)), dim=1)
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue], 1) / 0.2
    return F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long)), k


def loss_fn(query, x):
    return contrast(query, query, F.normalize(torch.randn(4, 20), dim=0), x)[0]


def train(steps=4, momentum=0.99):
    query, optimizer, x = make()
    key = encoder()
    key.load_state_dict(query.state_dict())
    for p in key.parameters():
        p.requires_grad = False
    queue = F.normalize(torch.randn(4, 20), dim=0)
    losses = []
    for _ in range(steps):
        loss, k = contrast(query, key, queue, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for pk, pq in zip(key.parameters(), query.parameters()):
                pk.data = pk.data * momentum + pq.data * (1 - momentum)
        queue = torch.cat([k.t(), queue[:, : -len(x)]], 1)
        losses.append(loss.item())
    return query, losses


KIND = "healthy"
EXPECT = {}
CAUSE = "healthy"
INTENT = {"key.*": "momentum encoder"}

if __name__ == "__main__":
    train()
