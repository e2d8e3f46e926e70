"""The auxiliary head's loss has weight 0.0 in the config. AdamW's weight decay shrinks the head all the same, which looks like training.
Origin: made up after multi-task configs."""
import torch
from torch import nn

CONFIG = {"lr": 1e-2, "weight_decay": 0.1, "aux_weight": 0.0}  # <-- culprit


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 6)
        self.main = nn.Linear(6, 2)
        self.aux = nn.Linear(6, 3)

    def forward(self, x):
        h = torch.relu(self.body(x))
        return self.main(h), self.aux(h)


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=CONFIG["lr"], weight_decay=CONFIG["weight_decay"])
    return model, optimizer, (torch.randn(8, 4), torch.randint(0, 2, (8,)), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    x, y, z = batch
    main, aux = model(x)
    loss = nn.functional.cross_entropy(main, y)
    return loss + CONFIG["aux_weight"] * nn.functional.cross_entropy(aux, z)  # <-- culprit


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


KIND = "loss"
EXPECT = {"body.weight": "trained", "body.bias": "trained", "main.weight": "trained", "main.bias": "trained",
          "aux.weight": "blocked", "aux.bias": "blocked"}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
