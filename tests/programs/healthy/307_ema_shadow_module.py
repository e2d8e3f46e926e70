"""torch.optim.swa_utils.AveragedModel as EMA, evaluated after every epoch. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(10, 4), torch.randn(10, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    losses = []
    for _ in range(steps):
        model.train()
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        ema.update_parameters(model)
        ema.eval()
        with torch.inference_mode():
            loss_fn(ema, batch)
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "1.weight": "trained",
    "1.bias": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
