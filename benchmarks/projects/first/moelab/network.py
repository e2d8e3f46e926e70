from torch import nn

from layers import MoELayer


class MoENet(nn.Module):
    def __init__(self, d_in, classes, cfg):
        super().__init__()
        dim = cfg["dim"]
        self.inp = nn.Linear(d_in, dim)
        self.layers = nn.ModuleList([MoELayer(dim, cfg["moe"]) for _ in range(cfg["layers"])])
        self.out = nn.Linear(dim, classes)

    def forward(self, x):
        h = self.inp(x)
        total = {}
        for layer in self.layers:
            h, aux = layer(h)
            for k, v in aux.items():
                total[k] = total.get(k, 0.0) + v
        return self.out(h), total


def combine(task, aux, weights):
    loss = task
    for key, value in aux.items():
        w = weights.get(key, 0.0)
        loss = loss + w * value
    return loss
