import math

import torch
import torch.nn.functional as F

from .optim import build_optimizers


class GANTrainer:
    def __init__(self, model, cfg, callbacks):
        self.model, self.cfg, self.callbacks = model, cfg, callbacks
        self.opt_d, self.opt_g = build_optimizers(model, cfg)
        self.step = 0

    def real(self, n):
        angle = torch.rand(n) * 2 * math.pi
        return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)

    def d_step(self):
        real = self.real(self.cfg["batch"])
        fake = self.model.generator.sample(self.cfg["batch"]).detach()
        loss = F.softplus(-self.model.discriminator(real)).mean() + F.softplus(self.model.discriminator(fake)).mean()
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def g_step(self):
        fake = self.model.generator.sample(self.cfg["batch"])
        loss = F.softplus(-self.model.discriminator(fake)).mean()
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def run(self):
        for cb in self.callbacks:
            cb.on_train_begin(self)
        for self.step in range(1, self.cfg["steps"] + 1):
            d, g = self.d_step(), self.g_step()
            for cb in self.callbacks:
                cb.on_step_end(self)
        print(f"done d {d:.3f} g {g:.3f}")
