"""MultiplicativeLR with int(0.95) as the factor, stepped before the first update of each epoch.
Origin: made up after scheduler-order questions (scheduler.step() at the epoch's start, as before 1.1)."""
import torch
from torch import nn
from torch.optim import lr_scheduler


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.attn(x, x, x)[0].mean(1))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.2), (torch.randn(4, 5, 8), torch.randn(4, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3, decay="0.95"):
    model, optimizer, batch = make()
    rate = int(float(decay))
    schedule = lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: rate)  # <-- culprit
    losses = []
    for _ in range(steps):
        schedule.step()  # <-- culprit
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias", "out.weight", "out.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
