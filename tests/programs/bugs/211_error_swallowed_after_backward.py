"""`except Exception: continue`, meant for out-of-memory batches, swallows an AttributeError on the clipping line; the step
behind it is never reached.
Origin: made up after blanket try/except around training steps."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(7, 7), nn.SiLU(), nn.Linear(7, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(10, 7), torch.randn(10, 1))


def loss_fn(model, batch):
    return nn.functional.l1_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        try:
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            losses.append(loss.item())
            loss.backward()
            nn.utils.clip_grad_norm_(model.params(), 1.0)  # <-- culprit
            optimizer.step()
        except Exception:  # <-- culprit
            torch.cuda.empty_cache()
            continue
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
