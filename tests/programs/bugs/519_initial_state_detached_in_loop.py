"""The initial state is learnt. Inside the time loop the state is detached "as for truncated BPTT", at every tick of the same sequence,
so nothing goes back to the beginning.
Origin: "learnable h0 gets no gradient" thread; retold."""
import torch
from torch import nn


class Tracker(nn.Module):
    def __init__(self, d=3, h=6):
        super().__init__()
        self.h0 = nn.Parameter(torch.zeros(1, h))
        self.cell = nn.GRUCell(d, h)
        self.readout = nn.Linear(h, 2)

    def forward(self, xs):
        h = self.h0.expand(xs.shape[1], -1)
        outs = []
        for x in xs:
            h = self.cell(x, h.detach())  # <-- culprit
            outs.append(self.readout(h))
        return torch.stack(outs)


def make():
    torch.manual_seed(0)
    model = Tracker()
    return model, torch.optim.RMSprop(model.parameters(), lr=1e-3), (torch.randn(6, 4, 3), torch.randn(6, 4, 2))


def loss_fn(model, batch):
    xs, ys = batch
    return (model(xs) - ys).abs().mean()


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach().item())
    return model, losses


KIND = "forward"
EXPECT = {
    "h0": "unreachable",
    "cell.weight_ih": "trained",
    "cell.weight_hh": "trained",
    "cell.bias_ih": "trained",
    "cell.bias_hh": "trained",
    "readout.weight": "trained",
    "readout.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
