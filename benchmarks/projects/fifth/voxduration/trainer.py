import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR


class Trainer:
    def __init__(self, model, loss_weights, optim):
        self.model = model
        self.weights = loss_weights
        self.optimizer = torch.optim.Adam(model.parameters(), lr=optim["lr"], betas=tuple(optim["betas"]))
        self.scheduler = LambdaLR(self.optimizer, self.ramp(optim["warmup"]))

    @staticmethod
    def ramp(warmup):
        return lambda step: min(1.0, (step + 1) / warmup)

    def terms(self, batch):
        out = self.model(batch["phonemes"], duration=batch["duration"],
                         pitch=batch["pitch"], energy=batch["energy"])
        mask = batch["mel_mask"].unsqueeze(-1)
        mel = ((out["mel"] - batch["mel"]).abs() * mask).sum() / mask.sum()
        return {
            "mel": mel,
            "duration": F.smooth_l1_loss(out["duration"], batch["duration"].float()),
            "pitch": F.mse_loss(out["pitch"], batch["pitch"]),
            "energy": F.mse_loss(out["energy"], batch["energy"]),
        }

    def train_epoch(self, loader):
        self.model.train()
        sums = {}
        for batch in loader:
            terms = self.terms(batch)
            loss = sum(self.weights.get(name, 0.0) * value for name, value in terms.items())
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.scheduler.step()
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value.item() / len(loader)
        return sums
