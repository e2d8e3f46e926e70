"""An edge layer is to start from Sobel kernels. They are copied into the convolution in forward instead of the constructor, so
every update of the kernels is undone.
Origin: "initialise conv with custom kernel" questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F

SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


class EdgeLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.register_buffer("kernels", torch.stack([SOBEL, SOBEL.T]).unsqueeze(1))

    def forward(self, x):
        with torch.no_grad():
            self.conv.weight.copy_(self.kernels)  # <-- culprit
        return self.conv(x)


class EdgeNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.edges = EdgeLayer()
        self.body = nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(6, classes)

    def forward(self, x):
        return self.fc(self.body(self.edges(x)))


def make():
    torch.manual_seed(0)
    net = EdgeNet()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    return net, opt, (torch.rand(4, 1, 9, 9), torch.randint(0, 3, (4,)))


def loss_fn(net, batch):
    x, y = batch
    return F.cross_entropy(net(x), y)


def train(steps=3):
    net, opt, batch = make()
    out = []
    for i in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        opt.step()
        out.append(loss.item())
    return net, out


KIND = "forward"
EXPECT = {
    "edges.conv.weight": "replaced",
    "edges.conv.bias": "trained",
    "body.0.weight": "trained",
    "body.0.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
