"""functools.partial remembers the bound projection of the constructor; later the projection is replaced by a larger one, and
forward goes on calling the remembered one.
Origin: caching of bound methods, retold from an issue on stale references after `set_output_embeddings`."""
from functools import partial

import torch
from torch import nn
import torch.nn.functional as F


def project(layer, x, scale):
    return layer(x) * scale


class Captioner(nn.Module):
    def __init__(self, d=6, vocab=7):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, d), nn.ReLU())
        self.lm_head = nn.Linear(d, vocab)
        self.to_logits = partial(project, self.lm_head, scale=d ** -0.5)  # <-- culprit

    def replace_head(self, vocab):
        self.lm_head = nn.Linear(self.lm_head.in_features, vocab)  # <-- culprit

    def forward(self, x):
        return self.to_logits(self.body(x))


def make():
    torch.manual_seed(0)
    model = Captioner()
    model.replace_head(vocab=7)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(9, 6), torch.randint(0, 7, (9,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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


KIND = "registration"
EXPECT = {
    "body.0.weight": "trained",
    "body.0.bias": "trained",
    "lm_head.weight": "unreachable",
    "lm_head.bias": "unreachable",
    "?lm_head.weight": "unregistered",
    "?lm_head.bias": "unregistered",
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
