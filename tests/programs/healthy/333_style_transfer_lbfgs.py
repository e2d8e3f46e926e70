"""Neural style: LBFGS over the picture, which is clamped inside the closure; the net is frozen. Origin: PyTorch tutorial."""
import torch
from torch import nn
import torch.nn.functional as F


PICTURE = []


def make():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)).eval().requires_grad_(False)
    content, style = torch.rand(1, 3, 6, 6), torch.rand(1, 3, 6, 6)
    picture = content.clone().requires_grad_(True)
    PICTURE[:] = [picture]
    return net, torch.optim.LBFGS([picture]), (content, style)


def gram(f):
    f = f.flatten(2)
    return f @ f.transpose(1, 2) / f.numel()


def loss_fn(net, b):
    content, style = b
    f = net(PICTURE[0])
    return F.mse_loss(f, net(content).detach()) + 1e3 * F.mse_loss(gram(f), gram(net(style)).detach())


def train(steps=2):
    net, optimizer, batch = make()
    losses = []

    def closure():
        with torch.no_grad():
            PICTURE[0].clamp_(0, 1)
        optimizer.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
    with torch.no_grad():
        PICTURE[0].clamp_(0, 1)
    return net, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "frozen",
    "0.bias": "frozen",
    "2.weight": "frozen",
    "2.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'*': 'the network is fixed; the picture learns'}

if __name__ == "__main__":
    train()
