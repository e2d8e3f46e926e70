"""Two processes train one model with DistributedDataParallel; the auxiliary loss is computed on the first one only.

    torchrun --nproc-per-node 2 examples/ddp_train.py

Training dies in its second step: "Expected to have finished reduction in the prior iteration".
"""

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.forecast = nn.Linear(32, 4)
        self.trend = nn.Linear(32, 1)

    def forward(self, history):
        state = self.encoder(history)
        trend = None
        if distributed.get_rank() == 0:  # <- the defect
            trend = self.trend(state)
        return self.forecast(state), trend


def batches(steps):
    for _ in range(steps):
        series = torch.randn(32, 16).cumsum(dim=1)
        yield series[:, :12], series[:, 12:]


def main():
    distributed.init_process_group("gloo")
    torch.manual_seed(distributed.get_rank())
    model = DistributedDataParallel(Forecaster())
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step, (history, future) in enumerate(batches(200)):
        forecast, trend = model(history)
        loss = nn.functional.mse_loss(forecast, future)
        if trend is not None:
            loss = loss + 0.1 * nn.functional.mse_loss(trend.squeeze(1), future[:, -1] - history[:, -1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0 and distributed.get_rank() == 0:
            print(f"step {step}: loss {loss.item():.3f}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
