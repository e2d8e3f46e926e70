"""Each epoch begins by reading back the checkpoint that the last one wrote (preemptible machines), model, optimizer and
scheduler, through a buffer in memory. Origin: elastic training scripts. NEEDS_LOOP"""
import io

import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, n=18):
        g = torch.Generator().manual_seed(3)
        self.x = torch.randn(n, 4, generator=g)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "y": self.x[i].sum()}


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, affine=False), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), Rows()


def save(**parts):
    buffer = io.BytesIO()
    torch.save({name: part.state_dict() for name, part in parts.items()}, buffer)
    return buffer


def resume(buffer, **parts):
    buffer.seek(0)
    state = torch.load(buffer, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])


def train(epochs=3):
    model, optimizer, rows = make()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    parts = dict(model=model, optimizer=optimizer, scheduler=scheduler)
    checkpoint, losses = save(**parts), []
    for _ in range(epochs):
        resume(checkpoint, **parts)
        for batch in DataLoader(rows, batch_size=6, shuffle=True, drop_last=True):
            optimizer.zero_grad()
            loss = F.huber_loss(model(batch["x"]).squeeze(1), batch["y"])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        checkpoint = save(**parts)
    return model, losses


KIND = "healthy"
EXPECT = {"0.weight": "trained", "3.weight": "trained", "3.bias": "trained"}
INTENT = {"0.bias": "before a batch norm"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
