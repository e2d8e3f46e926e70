"""The wrapper of The Annotated Transformer: Adam is built with lr=0 since the wrapper sets the rate - but it only remembers it.
Origin: made up after NoamOpt copies."""
import torch
from torch import nn


class NoamOpt:
    def __init__(self, model_size, factor, warmup, optimizer):
        self.optimizer = optimizer
        self._step = 0
        self.warmup, self.factor, self.model_size = warmup, factor, model_size
        self._rate = 0

    def rate(self, step):
        return self.factor * self.model_size**-0.5 * min(step**-0.5, step * self.warmup**-1.5)

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self._step += 1
        self._rate = self.rate(self._step)  # <-- culprit
        self.optimizer.step()  # <-- culprit


def build():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    adam = torch.optim.Adam(layer.parameters(), lr=0, betas=(0.9, 0.98), eps=1e-9)  # <-- culprit
    return layer, adam, torch.randn(3, 5, 8), NoamOpt(8, 1, 4000, adam)


def make():
    return build()[:3]


def loss_fn(model, x):
    return (model(x) - x.roll(1, 1)).square().mean()


def train(steps=3):
    model, _, batch, optimizer = build()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in (
    "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias", "linear1.weight",
    "linear1.bias", "linear2.weight", "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
