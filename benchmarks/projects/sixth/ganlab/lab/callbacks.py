import torch


class Callback:
    def on_train_begin(self, trainer):
        pass

    def on_step_end(self, trainer):
        pass


class EMA(Callback):
    """Running average of the generator; swapped in to draw previews."""

    def __init__(self, module, decay):
        self.module, self.decay = module, decay
        self.shadow = {n: p.detach().clone() for n, p in module.named_parameters()}
        self.backup = {}

    def on_step_end(self, trainer):
        for n, p in self.module.named_parameters():
            self.shadow[n].lerp_(p.detach(), 1 - self.decay)

    @torch.no_grad()
    def swap_in(self):
        if not self.backup:
            self.backup = {n: p.detach().clone() for n, p in self.module.named_parameters()}
        for n, p in self.module.named_parameters():
            p.copy_(self.shadow[n])

    @torch.no_grad()
    def swap_out(self):
        for n, p in self.module.named_parameters():
            p.copy_(self.backup[n])
        self.backup = {}


class Preview(Callback):
    def __init__(self, ema, every):
        self.ema, self.every = ema, every

    def on_train_begin(self, trainer):
        self.draw(trainer)

    def on_step_end(self, trainer):
        if trainer.step % self.every == 0:
            self.draw(trainer)

    def draw(self, trainer):
        self.ema.swap_in()
        with torch.no_grad():
            fake = trainer.model.generator.sample(256)
        self.ema.swap_out()
        if trainer.step % 20 == 0:
            print(f"step {trainer.step} preview radius {fake.norm(dim=1).mean():.3f}")
