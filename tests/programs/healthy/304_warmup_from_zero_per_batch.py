"""Linear warm-up from rate 0 over ten batches, then cosine (SequentialLR). Origin: BERT-style schedules."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(3, 5, 8), torch.randn(3, 5, 8))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, SequentialLR
    schedule = SequentialLR(optimizer, [LambdaLR(optimizer, lambda s: s / 4), CosineAnnealingLR(optimizer, 10)], milestones=[4])
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "self_attn.in_proj_weight": "trained",
    "self_attn.in_proj_bias": "trained",
    "self_attn.out_proj.weight": "trained",
    "self_attn.out_proj.bias": "trained",
    "linear1.weight": "trained",
    "linear1.bias": "trained",
    "linear2.weight": "trained",
    "linear2.bias": "trained",
    "norm1.weight": "trained",
    "norm1.bias": "trained",
    "norm2.weight": "trained",
    "norm2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
