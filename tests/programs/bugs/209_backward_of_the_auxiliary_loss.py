"""The total is computed and logged, but backward is called on the auxiliary loss alone: main head gets nothing.
Origin: made up after multi-task scripts with loss, loss1, loss2."""
import torch
from torch import nn


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 10)
        self.main = nn.Linear(10, 4)
        self.aux = nn.Linear(10, 1)

    def forward(self, x):
        h = torch.tanh(self.trunk(x))
        return self.main(h), self.aux(h)


def make():
    torch.manual_seed(0)
    model = TwoHeads()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(12, 6), torch.randint(0, 4, (12,)), torch.randn(12, 1))


def losses_of(model, batch):
    x, y, z = batch
    logits, side = model(x)
    main = nn.functional.cross_entropy(logits, y)
    aux = nn.functional.mse_loss(side, z)
    return main + 0.3 * aux, aux


def loss_fn(model, batch):
    return losses_of(model, batch)[1]


def train(steps=3):
    model, optimizer, batch = make()
    log = []
    for _ in range(steps):
        optimizer.zero_grad()
        total, aux = losses_of(model, batch)
        aux.backward()  # <-- culprit
        optimizer.step()
        log.append(total.item())
    return model, log


KIND = "loop"
EXPECT = {"trunk.weight": "trained", "trunk.bias": "trained", "main.weight": "unreachable", "main.bias": "unreachable",
          "aux.weight": "trained", "aux.bias": "trained"}
CAUSE = "loss_cut"

if __name__ == "__main__":
    train()
