"""Parameters are sorted into three lists, as detection code bases do it; the norm weights' list never becomes a group.
Origin: optimizer builders with g[0], g[1], g[2]; retold."""
import torch
from torch import nn


class Conv(nn.Module):
    def __init__(self, c1, c2, s=1):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, 3, s, 1, bias=False)
        self.bn = nn.BatchNorm2d(c2)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 6, 2)
        self.body = Conv(6, 8)
        self.head = nn.Conv2d(8, 5, 1)

    def forward(self, x):
        return self.head(self.body(self.stem(x))).mean((2, 3))


def smart_optimizer(model, lr=0.02, momentum=0.9, decay=1e-4):
    groups = {"decay": [], "norm": [], "bias": []}
    norms = tuple(kind for name, kind in nn.__dict__.items() if "Norm" in name)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                groups["bias"].append(parameter)
            elif isinstance(module, norms):
                groups["norm"].append(parameter)
            else:
                groups["decay"].append(parameter)
    optimizer = torch.optim.SGD(groups["bias"], lr=lr, momentum=momentum, nesterov=True)  # <-- culprit
    optimizer.add_param_group({"params": groups["decay"], "weight_decay": decay})
    print(f"{len(groups['decay'])} weights, {len(groups['norm'])} norms, {len(groups['bias'])} biases")
    return optimizer


def make():
    torch.manual_seed(0)
    model = Detector()
    return model, smart_optimizer(model), (torch.rand(4, 3, 12, 12), torch.rand(4, 5))


def loss_fn(model, batch):
    images, target = batch
    return nn.functional.binary_cross_entropy_with_logits(model(images), target)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return model, losses


KIND = "optimizer"
EXPECT = {
    "stem.conv.weight": "trained",
    "stem.bn.weight": "excluded",
    "stem.bn.bias": "trained",
    "body.conv.weight": "trained",
    "body.bn.weight": "excluded",
    "body.bn.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
