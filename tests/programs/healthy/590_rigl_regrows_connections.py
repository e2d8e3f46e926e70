"""Dynamic sparse training: weights are masked in place, the dense gradient decides which ones grow back.
Origin: RigL (Evci et al. 2020)."""
import torch
from torch import nn
import torch.nn.functional as F


class Masks:
    def __init__(self, model, density=0.4):
        self.masks = {}
        for module in model.modules():
            if isinstance(module, nn.Linear):
                self.masks[module.weight] = torch.rand_like(module.weight) < density
        self.apply()

    @torch.no_grad()
    def apply(self):
        for weight, mask in self.masks.items():
            weight.mul_(mask)

    @torch.no_grad()
    def clip_gradients(self):
        for weight, mask in self.masks.items():
            weight.grad.mul_(mask)

    @torch.no_grad()
    def update(self, k=3):
        for weight, mask in self.masks.items():
            grow = (weight.grad.abs() * ~mask).view(-1).topk(k).indices
            live = weight.abs().masked_fill(~mask, torch.inf).view(-1)
            drop = live.topk(k, largest=False).indices
            mask.view(-1)[drop] = False
            mask.view(-1)[grow] = True
            weight.mul_(mask)
            weight.view(-1)[grow] = 0


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), (torch.randn(16, 6), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=9):
    model, optimizer, batch = make()
    masks = Masks(model)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        if step % 3 == 2:
            masks.update()
        else:
            masks.clip_gradients()
            optimizer.step()
            masks.apply()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
