"""An optimizer with a warm-up of its own: the step size grows with the parameter's step count. The counter is reset outside the
`if` that sets up the state, so it is always zero when it is used.
Origin: home-made Adafactor variants; retold."""
import torch
from torch import nn


class WarmSGD(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, warmup=10):
        super().__init__(params, {"lr": lr, "warmup": warmup})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["average"] = torch.zeros_like(p)
                state["step"] = 0  # <-- culprit
                state["average"].lerp_(p.grad, 0.1)
                scale = min(1.0, state["step"] / group["warmup"])  # <-- culprit
                p.add_(state["average"], alpha=-group["lr"] * scale)
                state["step"] += 1


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ELU(), nn.Linear(6, 1))
    return model, WarmSGD(model.parameters()), (torch.randn(9, 4), torch.randn(9, 1))


def loss_fn(model, batch):
    return nn.functional.huber_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
