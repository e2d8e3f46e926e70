import torch
from torch import nn

from .schedule import build_schedule


class Trainer:
    def __init__(self, model, loader, augment, cfg):
        self.model, self.loader, self.augment, self.cfg = model, loader, augment, cfg
        self.criterion = nn.CTCLoss(blank=0, zero_infinity=True)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
        self.scheduler = build_schedule(self.optimizer, cfg["warmup_steps"], cfg["epochs"] * len(loader))

    def train_step(self, batch):
        feats, flen, text, tlen = batch
        logp, olen = self.model(self.augment(feats), flen)
        loss = self.criterion(logp.transpose(0, 1), text, olen, tlen)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg["grad_clip"])
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()

    def fit(self):
        for epoch in range(self.cfg["epochs"]):
            self.model.train()
            losses = [self.train_step(b) for b in self.loader]
            lr = self.optimizer.param_groups[0]["lr"]
            print(f"epoch {epoch} ctc {sum(losses) / len(losses):.4f} lr {lr:.2e}")
