"""DropConnect written by hand. The masked weight is made from `.data` "so that the mask is not part of the graph"; the layers'
weights then are not either, only their biases learn.
Origin: DropConnect / weight drop questions on discuss.pytorch.org; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class DropConnect(nn.Linear):
    def __init__(self, n_in, n_out, p=0.3):
        super().__init__(n_in, n_out)
        self.p = p

    def masked(self):
        keep = torch.rand(self.weight.shape) >= self.p
        return self.weight.data * keep / (1 - self.p)  # <-- culprit

    def forward(self, x):
        w = self.masked() if self.training else self.weight
        return F.linear(x, w, self.bias)


def build_net(sizes, act=nn.ReLU):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [DropConnect(a, b), act()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def make():
    torch.manual_seed(0)
    net = build_net([9, 14, 10, 3])
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0)
    return net, opt, (torch.randn(20, 9), torch.randint(0, 3, (20,)))


def loss_fn(net, batch):
    x, y = batch
    return F.nll_loss(F.log_softmax(net(x), dim=1), y)


def train(steps=3):
    net, opt, batch = make()
    net.train()
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = loss_fn(net, batch)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, losses


KIND = "forward"
EXPECT = {
    "0.weight": "unreachable",
    "0.bias": "trained",
    "2.weight": "unreachable",
    "2.bias": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "data_access"

if __name__ == "__main__":
    train()
