"""Fine-tuning: batch norm frozen and in eval, layer-wise rates (smallest 1e-5) built by a helper. Origin: detection fine-tuning."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def train(self, mode=True):
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()
                m.weight.requires_grad_(False)
                m.bias.requires_grad_(False)
        return self

    def forward(self, x):
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def make():
    torch.manual_seed(0)
    net = Net().train()
    groups = [{"params": [p for p in part.parameters() if p.requires_grad], "lr": lr}
              for part, lr in ((net.stem, 1e-5), (net.body, 1e-4), (net.head, 1e-2))]
    return net, torch.optim.Adam(groups), (torch.randn(6, 1, 8, 8), torch.randint(0, 2, (6,)))


def loss_fn(net, b):
    return F.cross_entropy(net(b[0]), b[1])


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


KIND = "healthy"
EXPECT = {
    "stem.0.weight": "trained",
    "stem.0.bias": "trained",
    "stem.1.weight": "frozen",
    "stem.1.bias": "frozen",
    "body.0.weight": "trained",
    "body.0.bias": "trained",
    "body.1.weight": "frozen",
    "body.1.bias": "frozen",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "healthy"
INTENT = {'*.1.*': 'frozen batch norm'}

if __name__ == "__main__":
    train()
