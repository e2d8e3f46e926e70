"""FiLM: the text decides scale and shift of the features. The next convolution is given the features as they were before.
Origin: a visual reasoning model in a student's repository; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class FiLMBlock(nn.Module):
    def __init__(self, c=4, t=5):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 3, padding=1)
        self.film = nn.Linear(t, 2 * c)

    def forward(self, x, text):
        h = F.relu(self.conv1(x))
        gamma, beta = self.film(text)[:, :, None, None].chunk(2, dim=1)
        modulated = h * (1 + gamma) + beta
        out = F.relu(self.conv2(h))  # <-- culprit
        out = F.dropout(out, 0.1, self.training)
        return x + out


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.block = FiLMBlock()
        self.head = nn.Linear(4, 2)

    def forward(self, image, text):
        return self.head(self.block(self.stem(image), text).mean((2, 3)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(4, 3, 6, 6), torch.randn(4, 5), torch.randint(0, 2, (4,)))


def loss_fn(model, batch):
    image, text, y = batch
    return F.cross_entropy(model(image, text), y)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "forward"
EXPECT = {
    "stem.weight": "trained",
    "stem.bias": "trained",
    "block.conv1.weight": "trained",
    "block.conv1.bias": "trained",
    "block.conv2.weight": "trained",
    "block.conv2.bias": "trained",
    "block.film.weight": "unreachable",
    "block.film.bias": "unreachable",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
