import sys

import torch

from tree import Formula

TARGETS = {
    "spring": lambda x: torch.sin(2 * x[:, 0]) + 0.5 * x[:, 1],
    "drag": lambda x: x[:, 0] * x[:, 0].abs() - x[:, 1],
}
RATES = {"choice": 0.02, "ops": 0.01}
DEFAULT_RATE = 0.01


def rate_for(name):
    for part, rate in RATES.items():
        if f".{part}" in name:
            return rate
    return DEFAULT_RATE


def by_rate(model):
    buckets = {}
    for name, p in model.named_parameters():
        buckets.setdefault(rate_for(name), []).append(p)
    return [{"params": ps, "lr": rate} for rate, ps in buckets.items()]


def main(target="spring", steps="12"):
    torch.manual_seed(10)
    model = Formula(2, 4, ["affine", "power", "wave"])
    opt = torch.optim.RMSprop(by_rate(model))
    for i in range(int(steps)):
        x = torch.rand(64, 2) * 4 - 2
        loss = torch.nn.functional.huber_loss(model(x), TARGETS[target](x))
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(target, "loss", round(loss.item(), 4))
    for k, layer in enumerate(model.layers):
        best = layer.choice.argmax(-1).tolist()
        print("layer", k, [list(layer.ops)[b] for b in best])


main(*sys.argv[1:])
