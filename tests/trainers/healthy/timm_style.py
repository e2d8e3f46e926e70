"""In the manner of timm's train.py: warm-up from 1e-6, label smoothing, an EMA copy, a scaler, workers, meters."""

import argparse
import copy
import logging
import math
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

_logger = logging.getLogger("train")


class AverageMeter:
    def __init__(self):
        self.sum = self.count = 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(1, self.count)


class Images(Dataset):
    def __init__(self, n=32):
        generator = torch.Generator().manual_seed(5)
        self.x = torch.randn(n, 3, 8, 8, generator=generator)
        self.y = torch.randint(0, 4, (n,), generator=generator)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class ConvNet(nn.Module):
    def __init__(self, classes=4, drop=0.1):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.blocks = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1) for _ in range(2)])
        self.gamma = nn.ParameterList([nn.Parameter(1e-5 * torch.ones(8, 1, 1)) for _ in range(2)])
        self.drop = nn.Dropout(drop)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        for block, gamma in zip(self.blocks, self.gamma):
            x = x + gamma * block(x).relu()
        return self.fc(self.drop(x.mean((2, 3))))


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.9):
        super().__init__()
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            e.copy_(e * self.decay + m * (1 - self.decay) if e.dtype.is_floating_point else m)


class CosineLRScheduler:
    def __init__(self, optimizer, t_initial, warmup_t, warmup_lr_init):
        self.optimizer, self.t, self.warm, self.init = optimizer, t_initial, warmup_t, warmup_lr_init
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self.step_update(0)

    def step_update(self, n):
        for group in self.optimizer.param_groups:
            top = group["initial_lr"]
            if n < self.warm:
                group["lr"] = self.init + n * (top - self.init) / self.warm
            else:
                group["lr"] = 0.5 * top * (1 + math.cos(math.pi * n / self.t))


def build():
    torch.manual_seed(42)
    return ConvNet()


def param_groups_weight_decay(model, weight_decay):
    decay = [p for n, p in model.named_parameters() if p.ndim > 1 and not n.startswith("gamma")]
    rest = [p for n, p in model.named_parameters() if p.ndim <= 1 or n.startswith("gamma")]
    return [{"params": rest, "weight_decay": 0.0}, {"params": decay, "weight_decay": weight_decay}]


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, scheduler, scaler, ema, losses):
    model.train()
    meter, end = AverageMeter(), time.time()
    for index, (x, y) in enumerate(loader):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(x)
            loss = loss_fn(output, y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        ema.update(model)
        meter.update(loss.item(), len(x))
        losses.append(loss.item())
        scheduler.step_update(epoch * len(loader) + index + 1)
        _logger.info("Train: %d [%d/%d] %.3f (%.2fs)", epoch, index, len(loader), meter.avg, time.time() - end)


@torch.no_grad()
def validate(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).float().mean().item() for x, y in loader) / len(loader)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--output")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    model = build()
    loader = DataLoader(Images(), batch_size=8, shuffle=True, num_workers=1, drop_last=True)
    optimizer = torch.optim.AdamW(param_groups_weight_decay(model, 0.05), lr=args.lr)
    scheduler = CosineLRScheduler(optimizer, args.epochs * len(loader), warmup_t=4, warmup_lr_init=1e-6)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    ema = ModelEma(model)
    losses = []
    for epoch in range(args.epochs):
        train_one_epoch(
            epoch, model, loader, optimizer, nn.CrossEntropyLoss(label_smoothing=0.1), scheduler, scaler, ema, losses
        )
        _logger.info("Test: %.3f ema %.3f", validate(model, loader), validate(ema.module, loader))
    torch.save({"model": model.state_dict(), "losses": losses}, args.output)


EXPECT = {"*module.*": "frozen", "*": "trained"}

if __name__ == "__main__":
    main()
